package io.tidemill.trainer.gate;

import io.tidemill.proto.Ids;
import io.tidemill.trainer.stage.TokenizedPair;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How often the model finds the preferred answer more likely, by log-probability a token (so that a short answer has no
 * advantage), given the prompt. A tie counts half. Unit: share from 0 to 1.
 */
public record PreferenceSuite(String name, List<TokenizedPair> pairs, double margin, int minimum)
        implements Suite<Scoring> {
    /** Five times the margin of 200 pairs, 8.2 points, would let a lineage fall from 90 % to chance. */
    private static final double MOST_SINCE_PINNED = 0.15;

    public PreferenceSuite {
        pairs = List.copyOf(pairs);
    }

    @Override
    public String unit() {
        return "share of pairs";
    }

    @Override
    public int sign() {
        return 1;
    }

    @Override
    public double marginSincePinned(double multiple) {
        return Math.max(margin, Math.min(multiple * margin, MOST_SINCE_PINNED));
    }

    @Override
    public List<String> exampleIds() {
        return pairs.stream().map(PreferenceSuite::contentId).toList();
    }

    private static String contentId(TokenizedPair pair) {
        return Ids.contentHash(bytes(pair.prompt()), bytes(pair.chosen()), bytes(pair.rejected()));
    }

    /** Length first, so that the parts cannot run into each other. */
    private static byte[] bytes(int[] ids) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * (ids.length + 1)).putInt(ids.length);
        IntStream.of(ids).forEach(buffer::putInt);
        return buffer.array();
    }

    @Override
    public double[] weights() {
        double[] ones = new double[pairs.size()];
        Arrays.fill(ones, 1);
        return ones;
    }

    /** The gap: the accuracy follows from it, so that a model is asked once for both. */
    @Override
    public double[] score(Scoring model, int[] indexes) {
        List<TokenizedPair> chosen = IntStream.of(indexes).mapToObj(pairs::get).toList();
        List<float[]> logProbabilities = model.logProbabilities(TokenizedPair.texts(chosen));
        return IntStream.range(0, chosen.size())
                .mapToDouble(i -> gap(chosen.get(i), logProbabilities.get(2 * i), logProbabilities.get(2 * i + 1)))
                .toArray();
    }

    private static double gap(TokenizedPair pair, float[] chosen, float[] rejected) {
        return pair.answerLogProbability(chosen) / pair.chosen().length
                - pair.answerLogProbability(rejected) / pair.rejected().length;
    }

    @Override
    public String scored() {
        return PreferenceGapSuite.NAME;
    }

    @Override
    public double value(double gap) {
        return gap > 0 ? 1 : gap == 0 ? 0.5 : gap < 0 ? 0 : Double.NaN;
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return Interval.wilson(after.mean(), after.size());
    }
}
