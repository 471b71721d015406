package io.tidemill.trainer.gate;

import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.LabelledText;
import io.tidemill.proto.Ids;
import io.tidemill.trainer.encoder.EncoderEvaluation;
import io.tidemill.trainer.encoder.EncoderExample;
import io.tidemill.trainer.encoder.Predicted;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** What a classifier says of texts whose labels, or score, are known: by its loss, or by how often all labels are right. */
public record LabelSuite(
        String name, Figure figure, Problem problem, List<EncoderExample> examples, double margin, int minimum)
        implements Suite<EncoderScoring> {
    /** What is compared. */
    public enum Figure {
        /** Mean over texts; nats, for several labels per label too, for scores a squared error. */
        LOSS,
        /** Share of texts all of whose labels are right, from 0 to 1. */
        ACCURACY
    }

    public LabelSuite {
        if (figure == Figure.ACCURACY && problem == Problem.SCORE) {
            throw new IllegalArgumentException("A score is not right or wrong, so suite " + name + " needs the loss");
        }
        examples = List.copyOf(examples);
    }

    @Override
    public String unit() {
        if (figure == Figure.ACCURACY) {
            return "share of texts";
        }
        return switch (problem) {
            case SINGLE -> "nats per text";
            case MULTIPLE -> "nats per label";
            case SCORE -> "squared error";
        };
    }

    @Override
    public int sign() {
        return figure == Figure.ACCURACY ? 1 : -1;
    }

    @Override
    public List<String> exampleIds() {
        return examples.stream().map(example -> contentId(example.text())).toList();
    }

    private static String contentId(LabelledText text) {
        int[] ids = text.input().ids();
        ByteBuffer bytes = ByteBuffer.allocate(4 * ids.length);
        Arrays.stream(ids).forEach(bytes::putInt);
        String right = new TreeSet<>(text.labels()) + " " + text.score();
        return Ids.contentHash(bytes.array(), right.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public double[] weights() {
        double[] ones = new double[examples.size()];
        Arrays.fill(ones, 1);
        return ones;
    }

    @Override
    public double[] score(EncoderScoring model, int[] indexes) {
        List<LabelledText> chosen =
                IntStream.of(indexes).mapToObj(i -> examples.get(i).text()).toList();
        List<EncoderInput> inputs = chosen.stream().map(LabelledText::input).toList();
        float[][] logits = model.labelLogits(inputs);
        return IntStream.range(0, chosen.size())
                .mapToDouble(i -> score(chosen.get(i), logits[i]))
                .toArray();
    }

    private double score(LabelledText text, float[] logits) {
        return figure == Figure.LOSS
                ? EncoderEvaluation.loss(problem, text, logits)
                : Predicted.labels(problem, logits).equals(text.labels()) ? 1 : 0;
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return figure == Figure.ACCURACY
                ? Interval.wilson(after.mean(), after.size())
                : Interval.ofPercentiles(resampled);
    }
}
