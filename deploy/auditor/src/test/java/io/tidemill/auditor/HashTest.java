package io.tidemill.auditor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.Ids;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Split;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The auditor's hashes were written from the contract's text; here they meet the contract's code. */
class HashTest {
    private static final int CASES = 500;

    @Test
    void hashesAreThoseOfTheContract() {
        for (int seed = 0; seed < CASES; seed++) {
            Random random = new Random(seed);
            List<String> parents = IntStream.range(0, random.nextInt(4))
                    .mapToObj(i -> text(random))
                    .toList();
            assertThat(Hash.exampleId(parents, "SFT")).as("seed %d", seed).isEqualTo(Ids.exampleId(parents, "SFT", 0));

            byte[] one = text(random).getBytes(UTF_8);
            byte[] other = text(random).getBytes(UTF_8);
            assertThat(Hash.content(one, other)).as("seed %d", seed).isEqualTo(Ids.contentHash(one, other));

            List<ChatMessage> messages = parents.stream()
                    .map(content -> ChatMessage.newBuilder()
                            .setRole("user")
                            .setContent(content)
                            .build())
                    .toList();
            assertThat(Hash.turn(messages)).as("seed %d", seed).isEqualTo(Ids.turnHash(messages));
        }
    }

    @Test
    void aGroupIsHeldOutWhereTheContractSaysSo() {
        for (int seed = 0; seed < CASES; seed++) {
            Random random = new Random(seed);
            String salt = text(random);
            String group = text(random);
            double share = random.nextDouble();
            assertThat(Hash.fraction(salt, group) < share)
                    .as("seed %d", seed)
                    .isEqualTo(new SplitFunction(salt, share).of(group) == Split.HELD_OUT);
        }
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        random.ints(random.nextInt(12), 0, 0x3000).forEach(text::appendCodePoint);
        return text.toString();
    }
}
