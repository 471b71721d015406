package io.tidemill.trainer.gate;

import io.tidemill.proto.Ids;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Questions of the operator's that an answer passes or fails, or one of several choices of which must be the most likely; a tie
 * of the right one with another counts half. Unit: share of the probes' weight.
 *
 * @param text an answer's tokens as text
 */
record ProbeSuite(
        String name, List<TokenizedProbe> probes, Function<int[], String> text, Rule rule, double margin, int minimum)
        implements Suite<Scoring> {
    /** A capability that falls for ever is lost; twice the margin is as far as it may fall. */
    private static final double HIGHEST_MULTIPLE = 2;

    ProbeSuite {
        probes = List.copyOf(probes);
    }

    @Override
    public String unit() {
        return "share of probes";
    }

    @Override
    public int sign() {
        return 1;
    }

    @Override
    public double marginSincePinned(double multiple) {
        return Math.min(multiple, HIGHEST_MULTIPLE) * margin;
    }

    @Override
    public List<String> exampleIds() {
        return probes.stream()
                .map(probe -> probe.question().contentId() + "/"
                        + Ids.contentHash(probe.probe().content().getBytes(StandardCharsets.UTF_8)))
                .toList();
    }

    @Override
    public String label(int index) {
        return probes.get(index).probe().id();
    }

    @Override
    public double[] weights() {
        return probes.stream().mapToDouble(probe -> probe.probe().weight()).toArray();
    }

    @Override
    public double[] score(Scoring model, int[] indexes) {
        double[] scores = new double[indexes.length];
        int[] written = IntStream.range(0, indexes.length)
                .filter(i -> probes.get(indexes[i]).choices().isEmpty())
                .toArray();
        List<Reply> replies = model.answers(IntStream.of(written)
                .mapToObj(i -> probes.get(indexes[i]).question())
                .toList());
        for (int i = 0; i < written.length; i++) {
            OperatorProbe probe = probes.get(indexes[written[i]]).probe();
            Reply reply = replies.get(i);
            scores[written[i]] =
                    probe.check().orElseThrow().passes(text.apply(reply.tokens()), reply) ? probe.weight() : 0;
        }
        int[] chosen = IntStream.range(0, indexes.length)
                .filter(i -> !probes.get(indexes[i]).choices().isEmpty())
                .toArray();
        List<int[]> texts = new ArrayList<>();
        IntStream.of(chosen).forEach(i -> texts.addAll(probes.get(indexes[i]).texts()));
        List<float[]> logProbabilities = model.logProbabilities(texts);
        int at = 0;
        for (int i : chosen) {
            TokenizedProbe probe = probes.get(indexes[i]);
            int count = probe.choices().size();
            scores[i] = probe.probe().weight() * choose(probe, logProbabilities.subList(at, at + count));
            at += count;
        }
        return scores;
    }

    private static double choose(TokenizedProbe probe, List<float[]> logProbabilities) {
        double[] perToken = IntStream.range(0, logProbabilities.size())
                .mapToDouble(choice -> probe.perToken(logProbabilities.get(choice), choice))
                .toArray();
        int right = probe.probe().right();
        double others = IntStream.range(0, perToken.length)
                .filter(choice -> choice != right)
                .mapToDouble(choice -> perToken[choice])
                .max()
                .orElseThrow();
        return perToken[right] > others ? 1 : perToken[right] == others ? 0.5 : 0;
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return Interval.wilson(after.mean(), after.size());
    }
}
