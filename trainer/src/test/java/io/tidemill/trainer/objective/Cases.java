package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.AnswerCall;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/** Drawn calls, and slopes by finite differences. */
final class Cases {
    private static final double STEP = 1e-6;

    private Cases() {}

    /** Log-probabilities of 1 to 7 tokens, between −3 and −0.05; nats. */
    static double[][][] logProbabilities(Random random, int texts, int answers) {
        double[][][] drawn = new double[texts][answers][];
        for (double[][] text : drawn) {
            for (int a = 0; a < answers; a++) {
                text[a] = random.doubles(1 + random.nextInt(7), -3, -0.05).toArray();
            }
        }
        return drawn;
    }

    /** One number for the state before each token and after the last. */
    static double[][][] values(Random random, double[][][] like) {
        double[][][] drawn = new double[like.length][][];
        for (int f = 0; f < like.length; f++) {
            drawn[f] = new double[like[f].length][];
            for (int a = 0; a < like[f].length; a++) {
                drawn[f][a] = random.doubles(like[f][a].length + 1, -2, 2).toArray();
            }
        }
        return drawn;
    }

    /** For answers of a model without a head over the vocabulary, or without one of one score. */
    static double[][][] none(int texts, int answers) {
        return new double[texts][answers][0];
    }

    static double[][][] copy(double[][][] of) {
        double[][][] copy = new double[of.length][][];
        for (int f = 0; f < of.length; f++) {
            copy[f] = new double[of[f].length][];
            for (int a = 0; a < of[f].length; a++) {
                copy[f][a] = of[f][a].clone();
            }
        }
        return copy;
    }

    static double[][][] logProbabilitySlopes(AnswerCall call) {
        double[][][] slopes = new double[call.size()][][];
        for (int f = 0; f < call.size(); f++) {
            slopes[f] = new double[call.answers(f)][];
            for (int a = 0; a < call.answers(f); a++) {
                slopes[f][a] = call.logProbabilitySlopes(f, a);
            }
        }
        return slopes;
    }

    static double[][][] valueSlopes(AnswerCall call) {
        double[][][] slopes = new double[call.size()][][];
        for (int f = 0; f < call.size(); f++) {
            slopes[f] = new double[call.answers(f)][];
            for (int a = 0; a < call.answers(f); a++) {
                slopes[f][a] = call.valueSlopes(f, a);
            }
        }
        return slopes;
    }

    /** Checks every slope that a loss fills in against (loss(x + h) − loss(x − h)) / 2h. */
    static void assertSlopes(
            String about, double[][][] logProbabilities, double[][][] values, ToDoubleFunction<AnswerCall> loss) {
        AnswerCall call = new AnswerCall(logProbabilities, values);
        assertThat(loss.applyAsDouble(call)).as(about).isFinite();
        compare(
                about,
                logProbabilities,
                logProbabilitySlopes(call),
                moved -> loss.applyAsDouble(new AnswerCall(moved, values)));
        compare(about, values, valueSlopes(call), moved -> loss.applyAsDouble(new AnswerCall(logProbabilities, moved)));
    }

    private static void compare(
            String about, double[][][] at, double[][][] slopes, ToDoubleFunction<double[][][]> loss) {
        double[][][] moved = copy(at);
        for (int f = 0; f < at.length; f++) {
            for (int a = 0; a < at[f].length; a++) {
                for (int t = 0; t < at[f][a].length; t++) {
                    moved[f][a][t] = at[f][a][t] + STEP;
                    double above = loss.applyAsDouble(moved);
                    moved[f][a][t] = at[f][a][t] - STEP;
                    double below = loss.applyAsDouble(moved);
                    moved[f][a][t] = at[f][a][t];
                    assertThat(slopes[f][a][t])
                            .as("%s, text %d, answer %d, token %d", about, f, a, t)
                            .isCloseTo((above - below) / (2 * STEP), within(1e-6));
                }
            }
        }
    }
}
