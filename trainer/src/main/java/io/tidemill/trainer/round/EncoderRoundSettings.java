package io.tidemill.trainer.round;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.encoder.ClassWeights;
import io.tidemill.trainer.encoder.EncoderSettings;
import io.tidemill.trainer.encoder.Masking;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.OptimizerSettings;
import java.util.HashSet;
import java.util.List;

/** How an encoder learns in rounds. */
public record EncoderRoundSettings(MaskedLanguage maskedLanguage, Classification classification) {
    private static final EncoderSettings LEAST =
            new EncoderSettings(new OptimizerSettings(0, 0, Decay.LINEAR, 1, 0.9, 0.999, 1e-8, 0), 1, 1, 1);

    /** Of plans that were made before encoders had rounds. */
    static final EncoderRoundSettings NONE = new EncoderRoundSettings(
            new MaskedLanguage(LEAST, 3, 0, false), new Classification(LEAST, 3, List.of(), "", List.of()));

    /**
     * On documents, where the model has the head for it.
     *
     * @param length      tokens of an input, special ones included; a longer document is cut between words
     * @param probability of a token, or a word, to be masked
     */
    public record MaskedLanguage(EncoderSettings training, int length, double probability, boolean wholeWords) {
        Masking masking(Tokenizer tokenizer) {
            return (wholeWords ? Masking.ofWords(tokenizer) : Masking.ofTokens(tokenizer)).with(probability);
        }
    }

    /**
     * On labelled texts, where the model has labels.
     *
     * @param length      tokens of an input, special ones included; a longer text is cut at its end
     * @param labels      what the lineage tells apart, in the order of the logits; empty for those of the base
     * @param problemType what {@code config.json} calls it; empty for what is usual for that many labels
     * @param weights     of the labels, {@link ClassWeights}
     */
    public record Classification(
            EncoderSettings training, int length, List<String> labels, String problemType, List<String> weights) {
        public Classification {
            labels = List.copyOf(labels);
            weights = List.copyOf(weights);
            if (new HashSet<>(labels).size() != labels.size()) {
                throw new IllegalArgumentException("trainer.classification.labels names one twice: " + labels);
            }
            if (!problemType.isEmpty() && Problem.of(problemType).isEmpty()) {
                throw new IllegalArgumentException("trainer.classification.problem-type must be one of "
                        + Problem.types() + ", but was " + problemType);
            }
            if (labels.isEmpty() && !problemType.isEmpty()) {
                throw new IllegalArgumentException("trainer.classification.problem-type is " + problemType
                        + ", but no labels are named. Set trainer.classification.labels too");
            }
        }

        /** The shape that a base of this one is to have; itself where nothing is asked or it has it already. */
        EncoderConfig of(EncoderConfig base) {
            if (labels.isEmpty()) {
                return base;
            }
            EncoderConfig wanted = Problem.of(problemType)
                    .map(problem -> base.withLabels(labels, problem))
                    .orElseGet(() -> base.withLabels(labels));
            return wanted.labels().equals(base.labels()) && wanted.problem() == base.problem() ? base : wanted;
        }
    }
}
