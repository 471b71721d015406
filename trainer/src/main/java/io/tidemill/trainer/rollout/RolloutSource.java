package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.Generation;
import io.tidemill.model.engine.Generator;
import io.tidemill.model.engine.LanguageModel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/**
 * Draws answers. Each has a seed of its own, by (seed, prompt, step, which answer), so that the same weights and the same
 * list of prompts give the same answers again, bit for bit.
 */
final class RolloutSource {
    /** A prompt whose turn it is, for the {@code epoch}-th time, from 0. */
    record Turn(RolloutPrompt prompt, long epoch) {}

    private final RolloutSampling sampling;
    private final int answers;
    private final long seed;

    /** @param answers to each prompt */
    RolloutSource(RolloutSampling sampling, int answers, long seed) {
        this.sampling = sampling;
        this.answers = answers;
        this.seed = seed;
    }

    /** For each turn its answers, in order. An answer of no tokens is not possible: the token that ends it is one. */
    List<List<Generation>> answers(LanguageModel policy, List<Turn> turns, long step) {
        List<Generator.Asked> asked = new ArrayList<>();
        for (Turn turn : turns) {
            for (int i = 0; i < answers; i++) {
                asked.add(new Generator.Asked(turn.prompt().tokens(), sampling.seeded(seed(turn, step, i))));
            }
        }
        List<Generation> made = new Generator(policy).generate(asked, sampling.atOnce());
        List<List<Generation>> groups = new ArrayList<>();
        for (int from = 0; from < made.size(); from += answers) {
            groups.add(made.subList(from, from + answers));
        }
        return groups;
    }

    private long seed(Turn turn, long step, int answer) {
        byte[] id = turn.prompt().promptId().getBytes(StandardCharsets.UTF_8);
        ByteBuffer key = ByteBuffer.allocate(3 * Long.BYTES + Integer.BYTES + id.length)
                .putLong(seed)
                .putLong(step)
                .putLong(turn.epoch())
                .putInt(answer)
                .put(id);
        return ByteBuffer.wrap(sha256(key.array())).getLong();
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }
}
