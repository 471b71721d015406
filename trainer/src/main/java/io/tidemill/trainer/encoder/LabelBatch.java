package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.LabelResult;
import io.tidemill.model.engine.LabelWeights;
import io.tidemill.model.engine.LabelledText;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.StepBatch;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Labelled texts of one optimizer step; nats per text, or for several labels per text and label, or a squared error.
 * Figures: {@code accuracy}, the share of texts whose labels are all right before the step; for scores {@code
 * absolute_error}.
 *
 * @param divisor {@link LabelWeights#of} of the texts
 * @param rows    texts of a call, at most
 */
record LabelBatch(List<String> exampleIds, List<LabelledText> texts, LabelWeights weights, double divisor, int rows)
        implements StepBatch<EncoderLearner> {
    @Override
    public Outcome accumulate(EncoderLearner learner, CallSize size) {
        Problem problem = learner.config().problem();
        Figures figures = new Figures();
        double loss = 0;
        for (List<LabelledText> some : StepBatch.groups(texts, Math.min(rows, size.rows()))) {
            LabelResult result = learner.accumulateLabelled(some, weights, divisor);
            loss += result.loss();
            for (int i = 0; i < some.size(); i++) {
                add(figures, problem, some.get(i), result.logits().get(i));
            }
        }
        return new Outcome(loss, figures.means());
    }

    @Override
    public List<StepBatch<EncoderLearner>> parts() {
        return IntStream.range(0, texts.size())
                .<StepBatch<EncoderLearner>>mapToObj(index -> new LabelBatch(
                        List.of(exampleIds.get(index)), List.of(texts.get(index)), weights, divisor, rows))
                .toList();
    }

    private static void add(Figures figures, Problem problem, LabelledText text, float[] logits) {
        if (problem == Problem.SCORE) {
            figures.add("absolute_error", Math.abs(logits[0] - text.score()));
        } else {
            figures.add("accuracy", Predicted.labels(problem, logits).equals(text.labels()) ? 1 : 0);
        }
    }

    /** All tokens have a part in what is said of a text. */
    @Override
    public long tokens() {
        return texts.stream().mapToLong(text -> text.input().ids().length).sum();
    }

    @Override
    public int longest() {
        return texts.stream().mapToInt(text -> text.input().ids().length).max().orElse(0);
    }
}
