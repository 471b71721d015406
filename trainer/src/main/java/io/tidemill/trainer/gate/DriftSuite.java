package io.tidemill.trainer.gate;

import io.tidemill.trainer.reward.Repetition;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What the model's answers to always the same prompts are like, so that a change of manner is seen that no loss tells. */
public record DriftSuite(Figure figure, List<Question> questions, double margin, int minimum)
        implements Suite<Scoring> {
    /** Answers say the same again after some rounds too; five times the margin would be everything there is. */
    private static final double HIGHEST_MULTIPLE = 1.5;

    /** Tokens that count as one thing said. */
    private static final int N_GRAM = 3;

    /** What is looked at. */
    public enum Figure {
        /** Tokens of an answer, as a share of the limit; neither much longer nor much shorter. */
        LENGTH("answer-length", "share of the limit", Rule.EQUIVALENCE),
        /** Share of an answer's 3-grams that it has said before; not much more. */
        REPETITION("answer-repetition", "share of 3-grams", Rule.NON_INFERIORITY);

        private final String suite;
        private final String unit;
        private final Rule rule;

        Figure(String suite, String unit, Rule rule) {
            this.suite = suite;
            this.unit = unit;
            this.rule = rule;
        }

        public String suite() {
            return suite;
        }
    }

    public DriftSuite {
        questions = List.copyOf(questions);
    }

    @Override
    public String name() {
        return figure.suite;
    }

    @Override
    public String unit() {
        return figure.unit;
    }

    @Override
    public int sign() {
        return -1;
    }

    @Override
    public Rule rule() {
        return figure.rule;
    }

    @Override
    public double marginSincePinned(double multiple) {
        return Math.min(multiple, HIGHEST_MULTIPLE) * margin;
    }

    @Override
    public List<String> exampleIds() {
        return questions.stream().map(Question::contentId).toList();
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
        return IntStream.range(0, asked.size())
                .mapToDouble(i -> score(asked.get(i), replies.get(i)))
                .toArray();
    }

    private double score(Question question, Reply reply) {
        return switch (figure) {
            case LENGTH -> reply.tokens().length / (double) question.maxTokens();
            case REPETITION -> Repetition.ofTokens(reply.tokens(), N_GRAM);
        };
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return Interval.ofPercentiles(resampled);
    }
}
