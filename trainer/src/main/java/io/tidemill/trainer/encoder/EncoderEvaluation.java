package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.LabelledText;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.trainer.stage.StepBatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * What an encoder gets right on texts that it does not learn from. Whoever says it, a model, one that learns, or an adapter
 * on a model, is a function here: {@code learner::labelLogits}, {@code learner::maskedLosses}.
 *
 * @param loss    mean, as {@link io.tidemill.model.engine.LabelWeights} has it with all labels alike; nats, or per masked token
 * @param figures by name, the loss under {@code loss} among them
 * @param table   for people
 * @param losses  of each text, in their order: their mean is the loss, or for masked texts the sum over them divided by
 *                all masked tokens
 */
public record EncoderEvaluation(double loss, Map<String, Double> figures, String table, List<Double> losses) {
    private static final int ROWS = 32; // of a call

    public EncoderEvaluation {
        figures = new TreeMap<>(figures);
        losses = List.copyOf(losses);
    }

    /**
     * Of texts with labels or scores.
     *
     * @param logits one row an input
     */
    public static EncoderEvaluation ofLabels(
            EncoderConfig config, List<EncoderExample> examples, Function<List<EncoderInput>, float[][]> logits) {
        config.require(EncoderConfig.Head.LABELS);
        if (examples.isEmpty()) {
            throw new IllegalArgumentException("There is no text to judge the model by");
        }
        float[][] said = new float[examples.size()][];
        for (List<Integer> some : batches(examples, EncoderExample::length)) {
            float[][] rows = logits.apply(
                    some.stream().map(i -> examples.get(i).text().input()).toList());
            for (int row = 0; row < rows.length; row++) {
                said[some.get(row)] = rows[row];
            }
        }
        List<LabelledText> texts = examples.stream().map(EncoderExample::text).toList();
        List<Double> losses = IntStream.range(0, said.length)
                .mapToObj(i -> loss(config.problem(), texts.get(i), said[i]))
                .toList();
        double loss = losses.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        return switch (config.problem()) {
            case SINGLE -> {
                ClassificationReport report = ClassificationReport.of(
                        config.labels(),
                        texts.stream()
                                .mapToInt(text -> text.labels().iterator().next())
                                .toArray(),
                        IntStream.range(0, said.length)
                                .map(i -> Predicted.label(said[i]))
                                .toArray());
                yield of(loss, report.figures(), report.table(), losses);
            }
            case MULTIPLE -> {
                MultiLabelReport report = MultiLabelReport.of(
                        config.labels(),
                        texts.stream().map(LabelledText::labels).toList(),
                        IntStream.range(0, said.length)
                                .mapToObj(i -> Predicted.labels(said[i]))
                                .toList());
                yield of(loss, report.figures(), report.table(), losses);
            }
            case SCORE -> {
                ScoreReport report = ScoreReport.of(
                        texts.stream().mapToDouble(LabelledText::score).toArray(),
                        IntStream.range(0, said.length)
                                .mapToDouble(i -> said[i][0])
                                .toArray());
                yield of(loss, report.figures(), report.table(), losses);
            }
        };
    }

    private static EncoderEvaluation of(double loss, Map<String, Double> figures, String table, List<Double> losses) {
        Map<String, Double> all = new TreeMap<>(figures);
        all.put("loss", loss);
        return new EncoderEvaluation(loss, all, table + String.format(Locale.ROOT, "loss %.4f%n", loss), losses);
    }

    /**
     * Of texts some of whose tokens are masked, always the same ones: those of epoch 0 with this seed.
     *
     * @param lossesOf sum of −log p over each text's masked tokens
     */
    public static EncoderEvaluation ofMasked(
            List<MaskableText> texts, Masking masking, long seed, Function<List<MaskedText>, double[]> lossesOf) {
        List<MaskedText> masked =
                texts.stream().map(text -> masking.mask(text, seed, 0)).toList();
        long tokens = masked.stream().mapToLong(MaskedText::lossTokens).sum();
        if (tokens == 0) {
            throw new IllegalArgumentException("No token of the " + texts.size()
                    + " texts to judge the model by is masked; there are too few of them");
        }
        Double[] losses = new Double[texts.size()];
        for (List<Integer> some : batches(texts, MaskableText::length)) {
            double[] rows = lossesOf.apply(some.stream().map(masked::get).toList());
            for (int row = 0; row < rows.length; row++) {
                losses[some.get(row)] = rows[row];
            }
        }
        List<Double> all = List.of(losses);
        double loss = all.stream().mapToDouble(Double::doubleValue).sum() / tokens;
        return new EncoderEvaluation(
                loss,
                Map.of("loss", loss, "perplexity", Math.exp(loss), "masked_tokens", (double) tokens),
                String.format(
                        Locale.ROOT,
                        "loss           %9.4f%nperplexity     %9.4f%nmasked tokens  %9d%n",
                        loss,
                        Math.exp(loss),
                        tokens),
                all);
    }

    /** Indices in batches of similar length. */
    private static <T> List<List<Integer>> batches(List<T> texts, java.util.function.ToIntFunction<T> length) {
        List<Integer> sorted = new ArrayList<>(IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> length.applyAsInt(texts.get(i))))
                .toList());
        return StepBatch.groups(sorted, ROWS);
    }

    /** Of one text; nats. */
    public static double loss(EncoderConfig.Problem problem, LabelledText text, float[] logits) {
        return switch (problem) {
            case SINGLE -> {
                double most = logits[Predicted.label(logits)];
                double sum = 0;
                for (float logit : logits) {
                    sum += Math.exp(logit - most);
                }
                yield Math.log(sum) + most - logits[text.labels().iterator().next()];
            }
            case MULTIPLE -> {
                double sum = 0;
                for (int i = 0; i < logits.length; i++) {
                    double z = text.labels().contains(i) ? logits[i] : -logits[i];
                    sum += Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
                }
                yield sum / logits.length;
            }
            case SCORE -> Math.pow(logits[0] - text.score(), 2);
        };
    }
}
