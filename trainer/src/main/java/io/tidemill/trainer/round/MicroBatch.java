package io.tidemill.trainer.round;

import io.tidemill.model.engine.LanguageModel;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.stage.CallSize;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How much of a round goes through the model in one call. A round begins with what its settings say; where memory runs
 * out it begins again with less, and what it then had is recorded: it decides the last bits of the weights.
 *
 * @param rows            of packed sequences, or texts of an encoder, at most
 * @param pairs           of preferences, at most
 * @param referenceTokens scored at once by the reference
 * @param gateTokens      scored at once by the gate; no part of the weights
 * @param recompute       whether activations are computed a second time instead of kept
 */
record MicroBatch(int rows, int pairs, int referenceTokens, int gateTokens, boolean recompute) {
    /** The engine itself puts no more of pairs into a call, unless one alone is longer. */
    private static final int PAIR_TOKENS = 2048;

    /** Where in a round memory ran out. */
    enum Part {
        SEQUENCES("a row"),
        /** Of an encoder, whose activations are never recomputed. */
        TEXTS("a text"),
        PAIRS("a pair"),
        REFERENCE("a text"),
        GATE("a text");

        private final String smallest;

        Part(String smallest) {
            this.smallest = smallest;
        }

        /** What a call of that stage has at most. */
        static Part of(String stage) {
            return switch (stage) {
                case Stages.PRETRAIN, Stages.SFT -> SEQUENCES;
                case Stages.MASKED_LM, Stages.CLASSIFICATION -> TEXTS;
                default -> PAIRS;
            };
        }

        /** What goes through the model at least. */
        String smallest() {
            return smallest;
        }
    }

    static MicroBatch of(RoundSettings settings) {
        int rows = IntStream.of(
                        settings.pretrain().rows(),
                        settings.sft().rows(),
                        settings.encoder().maskedLanguage().training().rows(),
                        settings.encoder().classification().training().rows())
                .max()
                .orElseThrow();
        return new MicroBatch(
                rows, settings.preference().pairs(), LanguageModel.SCORED_AT_ONCE, LanguageModel.SCORED_AT_ONCE, false);
    }

    /**
     * Half as much of that part, or activations computed twice where it is as small as can be.
     *
     * @param longest tokens that a call has at least
     * @return empty where nothing smaller is left
     */
    Optional<MicroBatch> smaller(Part part, int longest) {
        return switch (part) {
            case SEQUENCES -> rows > 1 ? Optional.of(halfTheRows()) : recomputing();
            case TEXTS -> rows > 1 ? Optional.of(halfTheRows()) : Optional.empty();
            case PAIRS ->
                pairs > 1
                        ? Optional.of(new MicroBatch(rows, fewerPairs(longest), referenceTokens, gateTokens, recompute))
                        : recomputing();
            case REFERENCE ->
                referenceTokens > longest
                        ? Optional.of(new MicroBatch(rows, pairs, referenceTokens / 2, gateTokens, recompute))
                        : Optional.empty();
            case GATE ->
                gateTokens > longest
                        ? Optional.of(new MicroBatch(rows, pairs, referenceTokens, gateTokens / 2, recompute))
                        : Optional.empty();
        };
    }

    private MicroBatch halfTheRows() {
        return new MicroBatch(rows / 2, pairs, referenceTokens, gateTokens, recompute);
    }

    private int fewerPairs(int longest) {
        int together = Math.min(pairs, PAIR_TOKENS / Math.max(1, longest));
        return Math.max(1, together / 2);
    }

    private Optional<MicroBatch> recomputing() {
        return recompute
                ? Optional.empty()
                : Optional.of(new MicroBatch(rows, pairs, referenceTokens, gateTokens, true));
    }

    CallSize callSize() {
        return new CallSize(rows, pairs, recompute);
    }

    /** All that has a part in the weights. */
    MicroBatch ofWeights() {
        return new MicroBatch(rows, pairs, referenceTokens, 0, recompute);
    }

    /** In words and values, for logs and events. */
    String describe() {
        return rows + (rows == 1 ? " row, " : " rows, ") + pairs + (pairs == 1 ? " pair, " : " pairs, ")
                + referenceTokens + " tokens of the reference and " + gateTokens + " of the gate at once"
                + (recompute ? ", activations recomputed" : "");
    }
}
