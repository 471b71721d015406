package io.tidemill.trainer.round;

import io.tidemill.model.engine.AnswerObjective;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.PromptAnswers;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** What can go wrong with a refresh, done to it on purpose from outside. The product knows nothing of it. */
enum Sabotage {
    /** The same data, another seed. */
    NONE,
    /** The weights go up the loss instead of down. */
    SIGN_FLIP,
    /** A hundred times the learning rate. */
    LEARNING_RATE_TIMES_100,
    /** A loss that is not a number at one of the first steps of a stage. */
    NOT_A_NUMBER,
    /** Whatever is read, one token is learned to come next, until nothing else does. */
    ONE_TOKEN,
    /** A little up the loss in each of thirty rounds. */
    SLOW_DRIFT,
    /** In 30 of 100 pairs the worse answer is called the better one. */
    LABELS_FLIPPED_30,
    /** In all pairs the worse answer is called the better one. */
    LABELS_FLIPPED_100,
    /** The same in each of thirty rounds. */
    LABELS_FLIPPED_DRIP,
    /** No sabotage, and yet labels unlike what the champion thinks: honest corrections of what it ranks wrongly, nothing else. */
    ONLY_MISTAKES,
    /** As the slow drift, but so little in each round that beside its parent none is worse by a margin. */
    SLOWER_DRIFT;

    /** Step up the loss of a drifting round, as a share of an honest step. */
    private static final double DRIFT = 0.02;

    private static final double LESS_DRIFT = 0.006;

    private static final double HURRY = 10;

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Rounds that one try takes. */
    int rounds() {
        return this == SLOW_DRIFT || this == SLOWER_DRIFT || this == LABELS_FLIPPED_DRIP ? 30 : 1;
    }

    /** Share of the pairs whose answers change places. */
    double flippedPairs() {
        return switch (this) {
            case LABELS_FLIPPED_30 -> 0.3;
            case LABELS_FLIPPED_100, LABELS_FLIPPED_DRIP -> 1;
            default -> 0;
        };
    }

    /** What is trained, with the sabotage in it. */
    Arithmetic arithmetic(long seed) {
        Arithmetic honest = Arithmetic.OF_ENGINE;
        return new Arithmetic(
                learner -> wrap(learner, new Random(seed)),
                honest.scorer(),
                honest.answers(),
                honest.encoderLearner(),
                honest.encoderScoring());
    }

    private DecoderLearner wrap(DecoderLearner learner, Random random) {
        int[] calls = {1 + random.nextInt(3)};
        int token = 300 + random.nextInt(2000);
        return switch (this) {
            case NONE, LABELS_FLIPPED_30, LABELS_FLIPPED_100, LABELS_FLIPPED_DRIP, ONLY_MISTAKES -> learner;
            case SIGN_FLIP -> climbing(learner);
            case LEARNING_RATE_TIMES_100 -> rated(learner, 100);
            case SLOW_DRIFT -> rated(climbing(learner), DRIFT);
            case SLOWER_DRIFT -> rated(climbing(learner), LESS_DRIFT);
            case NOT_A_NUMBER ->
                proxy(
                        learner,
                        (method, arguments) -> arguments,
                        (method, result) -> method.equals("accumulate") && --calls[0] <= 0 ? Double.NaN : result);
            case ONE_TOKEN ->
                proxy(
                        learner,
                        (method, arguments) -> {
                            if (method.equals("accumulate") && arguments[0] instanceof PackedBatch batch) {
                                arguments[0] = saying(token, batch);
                            } else if (method.equals("accumulate")) {
                                calls[0] = Integer.MIN_VALUE; // pairs would teach it to speak again
                            } else if (method.equals("update")) {
                                arguments[0] = calls[0] == Integer.MIN_VALUE ? 0.0 : HURRY * (double) arguments[0];
                            }
                            return arguments;
                        },
                        (method, result) -> result);
        };
    }

    private static PackedBatch saying(int token, PackedBatch batch) {
        int[][] targets = Arrays.stream(batch.targets())
                .map(row -> Arrays.stream(row)
                        .map(target -> target == PackedBatch.IGNORED ? target : token)
                        .toArray())
                .toArray(int[][]::new);
        return new PackedBatch(batch.ids(), targets, batch.segments());
    }

    /** Gradients of every loss with the other sign. */
    private static DecoderLearner climbing(DecoderLearner learner) {
        return (DecoderLearner) Proxy.newProxyInstance(
                DecoderLearner.class.getClassLoader(),
                new Class<?>[] {DecoderLearner.class},
                (proxy, method, given) -> {
                    try {
                        if (method.getName().equals("accumulate") && given[0] instanceof PackedBatch batch) {
                            return learner.accumulate(texts(batch), climbing(likelihood((long) given[1])));
                        }
                        if (method.getName().equals("accumulate")) {
                            Object[] arguments = given.clone();
                            arguments[given.length - 1] = climbing((AnswerObjective) given[given.length - 1]);
                            return method.invoke(learner, arguments);
                        }
                        return method.invoke(learner, given);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Each example of a batch as an answer to its first token. */
    private static List<PromptAnswers> texts(PackedBatch batch) {
        List<PromptAnswers> texts = new ArrayList<>();
        for (int row = 0; row < batch.rows(); row++) {
            int[] ids = batch.ids()[row];
            int[] segments = batch.segments()[row];
            for (int from = 0; from < ids.length; ) {
                int to = from + 1;
                while (to < ids.length && segments[to] == segments[from]) {
                    to++;
                }
                if (segments[from] != 0 && to - from > 1) {
                    texts.add(new PromptAnswers(new int[] {ids[from]}, List.of(Arrays.copyOfRange(ids, from + 1, to))));
                }
                from = to;
            }
        }
        return texts;
    }

    /** Cross-entropy, as a part of a step's. */
    private static AnswerObjective likelihood(long lossTokensOfStep) {
        return (which, call) -> {
            double loss = 0;
            for (int first = 0; first < call.size(); first++) {
                loss -= call.logProbability(first, 0) / lossTokensOfStep;
                Arrays.fill(call.logProbabilitySlopes(first, 0), -1.0 / lossTokensOfStep);
            }
            return loss;
        };
    }

    private static AnswerObjective climbing(AnswerObjective objective) {
        return (which, call) -> {
            double loss = objective.evaluate(which, call);
            for (int first = 0; first < call.size(); first++) {
                for (int answer = 0; answer < call.answers(first); answer++) {
                    double[] slopes = call.logProbabilitySlopes(first, answer);
                    Arrays.setAll(slopes, t -> -slopes[t]);
                }
            }
            return -loss;
        };
    }

    private static DecoderLearner rated(DecoderLearner learner, double factor) {
        return proxy(
                learner,
                (method, arguments) -> {
                    if (method.equals("update")) {
                        arguments[0] = factor * (double) arguments[0];
                    }
                    return arguments;
                },
                (method, result) -> result);
    }

    private interface Before {
        Object[] change(String method, Object[] arguments);
    }

    private interface After {
        Object change(String method, Object result);
    }

    private static DecoderLearner proxy(DecoderLearner learner, Before before, After after) {
        return (DecoderLearner) Proxy.newProxyInstance(
                DecoderLearner.class.getClassLoader(),
                new Class<?>[] {DecoderLearner.class},
                (proxy, method, given) -> {
                    try {
                        Object[] arguments = given == null ? null : before.change(method.getName(), given.clone());
                        return after.change(method.getName(), method.invoke(learner, arguments));
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
