package io.tidemill.trainer.round;

import io.tidemill.model.engine.FinishReason;
import io.tidemill.model.engine.Generation;
import io.tidemill.model.engine.Generator;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.model.engine.Sampling;
import io.tidemill.trainer.gate.Question;
import io.tidemill.trainer.gate.Reply;
import io.tidemill.trainer.gate.Scoring;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;

/**
 * A decoder as the gate asks it, with no more at once than the round has memory for. What a version has answered is
 * remembered.
 */
final class DecoderScorer implements Scoring {
    /** More share a pass over the weights at little gain. */
    private static final int ANSWERS_AT_ONCE = 8;

    private final RoundContext context;
    private final String version;
    private final LanguageModel model;
    private final Set<Integer> stopTokens;

    DecoderScorer(RoundContext context, String version, LanguageModel model, Set<Integer> stopTokens) {
        this.context = context;
        this.version = version;
        this.model = model;
        this.stopTokens = stopTokens;
    }

    @Override
    public List<float[]> logProbabilities(List<int[]> sequences) {
        try {
            return context.arithmetic()
                    .scorer()
                    .logProbabilities(model, sequences, context.microBatch().gateTokens(), context.control()::check);
        } catch (NativeMemoryException e) {
            throw lessAtOnce(
                    sequences.stream()
                            .mapToInt(sequence -> sequence.length)
                            .max()
                            .orElse(0),
                    e);
        }
    }

    @Override
    public List<Reply> answers(List<Question> questions) {
        try {
            return context.answers().answers(version, questions, this::write, () -> {
                context.control().check();
                context.reporter().tick();
            });
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot keep the answers of " + version + ": " + e.getMessage(), e);
        }
    }

    private List<Reply> write(List<Question> questions) {
        int longest = questions.stream()
                .mapToInt(question -> question.prompt().length + question.maxTokens())
                .max()
                .orElse(1);
        int atOnce = Math.max(1, Math.min(ANSWERS_AT_ONCE, context.microBatch().gateTokens() / longest));
        List<Generator.Asked> asked = questions.stream()
                .map(question -> new Generator.Asked(question.prompt(), mostLikely(question.maxTokens())))
                .toList();
        try {
            return new Generator(model)
                    .generate(asked, atOnce).stream().map(DecoderScorer::reply).toList();
        } catch (NativeMemoryException e) {
            throw lessAtOnce(longest, e);
        }
    }

    private Sampling mostLikely(int maxTokens) {
        return new Sampling(0, 1, 0, 0, 1, maxTokens, 0, stopTokens);
    }

    private static Reply reply(Generation generation) {
        return new Reply(generation.tokens(), generation.reason() == FinishReason.STOP);
    }

    private static MicroBatchException lessAtOnce(int longest, NativeMemoryException e) {
        return new MicroBatchException(MicroBatch.Part.GATE, longest, "The gate: " + e.getMessage(), e);
    }
}
