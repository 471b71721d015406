package io.tidemill.trainer.gate;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How much of its parent's answers a model still says, {@link Reply#agreement}: the parent's own figure is 1. A refresh may
 * say much in other words; a model that says something else entirely is not what was refreshed.
 *
 * @param parent   name of the version
 * @param champion the parent
 */
public record AgreementSuite(List<Question> questions, String parent, Scoring champion, double margin, int minimum)
        implements Suite<Scoring> {
    public static final String NAME = "answer-agreement";

    public AgreementSuite {
        questions = List.copyOf(questions);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String unit() {
        return "share of the parent's answer";
    }

    @Override
    public int sign() {
        return 1;
    }

    /** All of it may be lost where the margin is 1: the first rounds from a base that cannot answer lose nearly all. */
    @Override
    public boolean decides() {
        return margin < 1;
    }

    /** Over many rounds everything may be said in other words. */
    @Override
    public boolean sincePinned() {
        return false;
    }

    /** With the parent in it: the same answer agrees with one and not with another. */
    @Override
    public List<String> exampleIds() {
        return questions.stream()
                .map(question -> question.contentId() + "@" + parent)
                .toList();
    }

    @Override
    public double[] weights() {
        double[] ones = new double[questions.size()];
        Arrays.fill(ones, 1);
        return ones;
    }

    @Override
    public double[] score(Scoring model, int[] indexes) {
        List<Question> asked = IntStream.of(indexes).mapToObj(questions::get).toList();
        List<Reply> replies = model.answers(asked);
        List<Reply> before = champion.answers(asked);
        return IntStream.range(0, asked.size())
                .mapToDouble(i -> replies.get(i).agreement(before.get(i)))
                .toArray();
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return Interval.ofPercentiles(resampled);
    }
}
