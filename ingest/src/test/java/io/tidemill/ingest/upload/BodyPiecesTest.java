package io.tidemill.ingest.upload;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BodyPiecesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void linesAreRecordsAndEmptyOnesAreCountedButNotTaken() throws IOException {
        assertThat(lines("{\"a\":1}\r\n\n  \n{\"a\":2}")).containsExactly("1:{\"a\":1}\r", "4:{\"a\":2}");
        assertThat(lines("")).isEmpty();
        assertThat(lines("\n\n")).isEmpty();
    }

    @Test
    void aByteOrderMarkIsPassedOver() throws IOException {
        assertThat(lines("\ufeff{}")).containsExactly("1:{}");
        assertThat(json("\ufeff[1]")).containsExactly("1:1");
    }

    @Test
    void anArrayIsCutBetweenItsElementsOnly() throws IOException {
        assertThat(json("[{\"a\":\"],\\\"\\\\\",\"b\":[1,{}]} , {\"c\":\"}\"}]\n"))
                .containsExactly("1:{\"a\":\"],\\\"\\\\\",\"b\":[1,{}]} ", "2: {\"c\":\"}\"}");
        assertThat(json(" [ ] ")).isEmpty();
    }

    @Test
    void anythingElseIsOneRecord() throws IOException {
        assertThat(json("  {\"a\":\n1}")).containsExactly("1:{\"a\":\n1}");
        assertThat(json("{} {}")).containsExactly("1:{} {}");
        assertThat(json("  \n ")).isEmpty();
    }

    @Test
    void anArrayThatDoesNotEndOrThatSomethingFollowsSaysSo() throws IOException {
        assertThat(json("[1,2")).containsExactly("1:1", "2!The body ends inside of the array.");
        assertThat(json("[1,\"a\\")).containsExactly("1:1", "2!The body ends inside of the array.");
        assertThat(json("[")).containsExactly("1!The body ends inside of the array.");
        assertThat(json("[1,2]3")).containsExactly("1:1", "2!Something follows the array: '3'.");
        assertThat(json("[]{}")).containsExactly("1!Something follows the array.");
        assertThat(json("[1,]")).containsExactly("1:1", "2:");
    }

    @Test
    void aRecordBeyondTheLimitIsSkippedWithItsLengthAndTheNextIsRead() throws IOException {
        String large = "\"" + "x".repeat(5_000) + "\"";
        assertThat(pieces(large + "\n{}", true, 1_000))
                .containsExactly("1!A record must have at most 1000 bytes, but this one has 5002.", "2:{}");
        assertThat(pieces("[{}," + large + ",{}]", false, 1_000))
                .containsExactly("1:{}", "2!A record must have at most 1000 bytes, but this one has 5002.", "3:{}");
    }

    @Test
    void whateverTheRecordsAreTheyComeOutAsTheyWentIn() throws IOException {
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            ArrayNode records = JSON.createArrayNode();
            StringBuilder lines = new StringBuilder();
            for (int n = random.nextInt(6); n >= 0; n--) {
                ObjectNode record = JSON.createObjectNode();
                record.set("v", value(random, 3));
                records.add(record);
                lines.append(record).append(random.nextBoolean() ? "\n" : "\r\n");
            }
            String array = random.nextBoolean() ? records.toPrettyString() : records.toString();
            assertThat(parsed(array, false)).as("array of seed %d", seed).isEqualTo(records);
            assertThat(parsed(lines.toString(), true))
                    .as("lines of seed %d", seed)
                    .isEqualTo(records);
        }
    }

    private static JsonNode value(Random random, int depth) {
        return switch (random.nextInt(depth > 0 ? 5 : 3)) {
            case 0 -> JSON.getNodeFactory().numberNode(random.nextInt());
            case 1 -> JSON.getNodeFactory().booleanNode(random.nextBoolean());
            case 2 -> {
                StringBuilder text = new StringBuilder();
                random.ints(random.nextInt(8), 0, 12).forEach(i -> text.append("a\"\\{}[],:\né€".charAt(i)));
                yield JSON.getNodeFactory().textNode(text.toString());
            }
            case 3 -> {
                ArrayNode list = JSON.createArrayNode();
                random.ints(random.nextInt(3)).forEach(i -> list.add(value(random, depth - 1)));
                yield list;
            }
            default -> {
                ObjectNode object = JSON.createObjectNode();
                random.ints(random.nextInt(3)).forEach(i -> object.set("k{" + i, value(random, depth - 1)));
                yield object;
            }
        };
    }

    private static ArrayNode parsed(String body, boolean lines) throws IOException {
        ArrayNode found = JSON.createArrayNode();
        BodyPieces pieces = new BodyPieces(stream(body), lines, 1_000_000);
        for (Piece piece = pieces.next(); piece != null; piece = pieces.next()) {
            found.add(JSON.readTree(piece.bytes()));
        }
        return found;
    }

    private static List<String> lines(String body) throws IOException {
        return pieces(body, true, 1_000_000);
    }

    private static List<String> json(String body) throws IOException {
        return pieces(body, false, 1_000_000);
    }

    private static List<String> pieces(String body, boolean lines, int limit) throws IOException {
        List<String> found = new ArrayList<>();
        BodyPieces pieces = new BodyPieces(stream(body), lines, limit);
        for (Piece piece = pieces.next(); piece != null; piece = pieces.next()) {
            found.add(
                    piece.problem() == null
                            ? piece.line() + ":" + new String(piece.bytes(), UTF_8)
                            : piece.line() + "!" + piece.problem().reason().replaceAll(" Expected.*", ""));
        }
        return found;
    }

    private static InputStream stream(String body) {
        return new ByteArrayInputStream(body.getBytes(UTF_8));
    }
}
