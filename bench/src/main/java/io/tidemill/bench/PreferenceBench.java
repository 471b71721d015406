package io.tidemill.bench;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.AnswerObjective;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Optimizer steps of direct preference optimisation: Rafailov et al. (2023), arXiv:2305.18290, equation 7, β = 0.1. One
 * JSON object goes to standard output.
 *
 * <table>
 * <caption>Settings, those of the first two are needed</caption>
 * <tr><td>--model</td><td>directory of a Hugging Face model</td></tr>
 * <tr><td>--pairs</td><td>{@link PairFile}, again from its start when it ends</td></tr>
 * <tr><td>--type</td><td>bfloat16 or float32</td></tr>
 * <tr><td>--share</td><td>false: each answer reads its prompt again; true</td></tr>
 * <tr><td>--reference</td><td>given: the reference's log-probabilities are known, as those logged at serving are; computed:
 *     each step asks the frozen start</td></tr>
 * <tr><td>--warmup, --steps</td><td>steps before measuring, and measured; 2 and 5</td></tr>
 * <tr><td>--lora</td><td>rank of an adapter that learns instead; 0, none</td></tr>
 * <tr><td>--recompute</td><td>true: activations are computed twice instead of kept</td></tr>
 * <tr><td>--rate</td><td>learning rate; 1e-5</td></tr>
 * <tr><td>--threads</td><td>inside an operation; 1</td></tr>
 * <tr><td>--losses</td><td>true: the loss of each step is written too</td></tr>
 * </table>
 */
final class PreferenceBench {
    private static final double BETA = 0.1;

    private static final Set<String> SETTINGS = Set.of(
            "model",
            "pairs",
            "type",
            "share",
            "reference",
            "warmup",
            "steps",
            "lora",
            "recompute",
            "rate",
            "threads",
            "losses");

    private PreferenceBench() {}

    public static void main(String[] arguments) throws IOException {
        Flags flags = new Flags(arguments, SETTINGS);
        ComputeType type = ComputeType.valueOf(flags.text("type", "bfloat16").toUpperCase(Locale.ROOT));
        Threads.intraOp(flags.number("threads", 1));
        List<List<PromptAnswers>> steps = PairFile.read(Path.of(flags.text("pairs", "")));
        try (LanguageModel model = LanguageModel.load(Path.of(flags.text("model", "")), type);
                DecoderLearner learner = learner(model, flags)) {
            learner.recomputeActivations(flags.flag("recompute"));
            measure(flags, steps, model, learner);
        }
    }

    private static DecoderLearner learner(LanguageModel model, Flags flags) {
        AdamWSettings optimizer = new AdamWSettings(0.9, 0.999, 1e-8, 0); // TRL's
        boolean share = flags.text("share", "true").equals("true");
        int rank = flags.number("lora", 0);
        if (rank > 0) {
            TrainableAdapter adapter = TrainableAdapter.from(model, LoraConfig.of(rank, 2.0 * rank), 1, optimizer);
            adapter.sharePrompts(share);
            return adapter;
        }
        TrainableModel whole = TrainableModel.from(model, optimizer);
        whole.sharePrompts(share);
        return whole;
    }

    private static void measure(
            Flags flags, List<List<PromptAnswers>> steps, LanguageModel start, DecoderLearner learner) {
        boolean given = flags.text("reference", "given").equals("given");
        double rate = flags.real("rate", 1e-5);
        int warmup = flags.number("warmup", 2);
        int measured = flags.number("steps", 5);
        List<double[][]> known = new ArrayList<>();
        for (List<PromptAnswers> pairs : given ? steps : List.<List<PromptAnswers>>of()) {
            known.add(reference(start, pairs));
        }

        List<Double> losses = new ArrayList<>();
        long count = 0;
        double before = 0;
        for (int step = 0; step < warmup + measured; step++) {
            if (step == warmup) {
                before = Usage.cpuSeconds();
            }
            List<PromptAnswers> pairs = steps.get(step % steps.size());
            double[][] reference = given ? known.get(step % steps.size()) : reference(start, pairs);
            losses.add(learner.accumulate(pairs, dpo(reference)));
            learner.clip(1);
            learner.update(rate);
            count += step < warmup ? 0 : pairs.size();
        }
        double used = Usage.cpuSeconds() - before;

        StringBuilder line = new StringBuilder(String.format(
                Locale.ROOT,
                "{\"tool\": \"tidemill\", \"pairs\": %d, \"cpu_seconds\": %.3f, \"pairs_per_cpu_second\": %.3f",
                count,
                used,
                count / used));
        if (flags.flag("losses")) {
            line.append(", \"losses\": ").append(losses);
        }
        System.out.println(line.append("}"));
    }

    /** log π of both answers of each pair. */
    private static double[][] reference(LanguageModel start, List<PromptAnswers> pairs) {
        return Arrays.stream(start.answerLogProbabilities(pairs, LanguageModel.SCORED_AT_ONCE))
                .map(answers -> Arrays.stream(answers)
                        .mapToDouble(tokens -> Arrays.stream(tokens).sum())
                        .toArray())
                .toArray(double[][]::new);
    }

    private static AnswerObjective dpo(double[][] reference) {
        return (which, call) -> {
            double loss = 0;
            for (int f = 0; f < which.length; f++) {
                double[] of = reference[which[f]];
                double margin = BETA * (call.logProbability(f, 0) - of[0] - call.logProbability(f, 1) + of[1]);
                double slope = -BETA / (1 + Math.exp(margin)) / reference.length;
                loss += Math.log1p(Math.exp(-margin)) / reference.length;
                call.addSlope(f, 0, slope);
                call.addSlope(f, 1, -slope);
            }
            return loss;
        };
    }
}
