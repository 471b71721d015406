package io.tidemill.trainer.round;

import io.tidemill.model.engine.AnswerObjective;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PackedBatch;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
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
    /** A loss that is not a number at some step of the first stage, or weights that are not numbers from some step on. */
    NOT_A_NUMBER,
    /** Whatever is read, one token is learned to come next, until nothing else does. */
    ONE_TOKEN,
    /** A little up the loss in each of thirty rounds, each little enough for its own comparison. */
    SLOW_DRIFT,
    /** In 30 of 100 pairs the worse answer is called the better one. */
    LABELS_FLIPPED_30,
    /** In all pairs the worse answer is called the better one. */
    LABELS_FLIPPED_100;

    /** Step up the loss of a drifting round, as a share of an honest step. */
    private static final double DRIFT = 0.1;

    private static final double HURRY = 10;

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Rounds that one try takes. */
    int rounds() {
        return this == SLOW_DRIFT ? 30 : 1;
    }

    /** Share of the pairs whose answers change places. */
    double flippedPairs() {
        return this == LABELS_FLIPPED_30 ? 0.3 : this == LABELS_FLIPPED_100 ? 1 : 0;
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
        boolean inWeights = random.nextBoolean();
        int[] calls = {1 + random.nextInt(3)};
        int token = 300 + random.nextInt(2000);
        return switch (this) {
            case NONE, LABELS_FLIPPED_30, LABELS_FLIPPED_100 -> learner;
            case SIGN_FLIP -> climbing(learner);
            case LEARNING_RATE_TIMES_100 -> rated(learner, 100);
            case SLOW_DRIFT -> rated(climbing(learner), DRIFT);
            case NOT_A_NUMBER ->
                proxy(
                        learner,
                        (method, arguments) -> {
                            if (inWeights && method.equals("update") && --calls[0] <= 0) {
                                arguments[0] = Double.NaN;
                            }
                            return arguments;
                        },
                        (method, result) ->
                                !inWeights && method.equals("accumulate") && --calls[0] <= 0 ? Double.NaN : result);
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
        return proxy(
                learner,
                (method, arguments) -> {
                    if (method.equals("accumulate") && arguments[0] instanceof PackedBatch) {
                        arguments[1] = -(long) arguments[1];
                    } else if (method.equals("accumulate")) {
                        int last = arguments.length - 1;
                        arguments[last] = climbing((AnswerObjective) arguments[last]);
                    }
                    return arguments;
                },
                (method, result) -> result);
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
