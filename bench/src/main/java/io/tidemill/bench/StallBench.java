package io.tidemill.bench;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * How much training loses to a saved state every so many seconds: goal P12. Legs of steps take turns: without states, with
 * states that the training thread writes itself, with states that are written behind the next steps, as rounds do; each state
 * is digested and flushed. Wall time, because a stall is one; the first state of a leg comes with its first step. One JSON
 * object a leg and one with the medians go to standard output.
 *
 * <p>Settings: {@code --model} (embedded, or a name of {@link Shapes} with random weights; embedded), {@code --directory} (where
 * states go; a temporary one), {@code --every} (seconds between states; 10), {@code --seconds} (of a leg; 30), {@code --turns} (7),
 * {@code --rows} and {@code --tokens} of a step (4 and 512), {@code --threads} (2), {@code --type} (bfloat16).
 */
final class StallBench {
    private static final Set<String> SETTINGS =
            Set.of("model", "directory", "every", "seconds", "turns", "rows", "tokens", "threads", "type");

    private enum Saving {
        NONE,
        ITSELF,
        BEHIND
    }

    /** What a leg gave: steps a second, the longest step, and the time that beginning states took; seconds. */
    private record Leg(double rate, double longest, double begun) {}

    private final Path directory;
    private final double every;
    private final double seconds;
    private final PackedBatch batch;

    private StallBench(Flags flags, Path directory, int vocabulary) {
        this.directory = directory;
        this.every = flags.real("every", 10);
        this.seconds = flags.real("seconds", 30);
        this.batch = TrainingBench.random(vocabulary, flags.number("rows", 4), flags.number("tokens", 512));
    }

    public static void main(String[] arguments) throws IOException {
        Flags flags = new Flags(arguments, SETTINGS);
        Threads.intraOp(flags.number("threads", 2));
        ComputeType type = ComputeType.valueOf(flags.text("type", "bfloat16").toUpperCase(Locale.ROOT));
        String asked = flags.text("directory", "");
        Path directory = asked.isEmpty()
                ? Files.createTempDirectory("tidemill-stall-")
                : Files.createDirectories(Path.of(asked));
        try (LanguageModel model = model(flags.text("model", "embedded"), directory, type);
                TrainableModel learner = TrainableModel.from(model, AdamWSettings.defaults())) {
            new StallBench(flags, directory, model.config().vocabularySize())
                    .run(learner, model.parameterCount(), flags.number("turns", 7));
        } finally {
            DeltaBench.delete(directory);
        }
    }

    private static LanguageModel model(String name, Path directory, ComputeType type) throws IOException {
        if (!name.equals("embedded")) {
            return LanguageModel.random(Shapes.named(name), 1, type);
        }
        BaseModel.extractTo(directory.resolve("embedded"));
        return LanguageModel.load(directory.resolve("embedded"), type);
    }

    private void run(TrainableModel learner, long parameters, int turns) throws IOException {
        leg(learner, Saving.NONE); // warms up
        Map<Saving, List<Leg>> legs = new EnumMap<>(Saving.class);
        for (int turn = 0; turn < turns; turn++) {
            for (Saving saving : Saving.values()) {
                Leg leg = leg(learner, saving);
                legs.computeIfAbsent(saving, none -> new ArrayList<>()).add(leg);
                System.out.printf(
                        Locale.ROOT,
                        "{\"saving\": \"%s\", \"steps_per_second\": %.4f, \"longest_step_s\": %.3f, \"begun_s\": %.3f}%n",
                        saving.name().toLowerCase(Locale.ROOT),
                        leg.rate,
                        leg.longest,
                        leg.begun);
            }
        }
        double free = median(legs.get(Saving.NONE));
        System.out.printf(
                Locale.ROOT,
                "{\"weights\": %d, \"state_bytes\": %d, \"every_s\": %.1f, \"steps_per_second\": %.4f,"
                        + " \"lost_itself\": %.4f, \"lost_behind\": %.4f}%n",
                parameters,
                Files.size(directory.resolve("state")),
                every,
                free,
                1 - median(legs.get(Saving.ITSELF)) / free,
                1 - median(legs.get(Saving.BEHIND)) / free);
    }

    private static double median(List<Leg> legs) {
        double[] rates = legs.stream().mapToDouble(Leg::rate).sorted().toArray();
        return rates[rates.length / 2];
    }

    private Leg leg(TrainableModel learner, Saving saving) {
        CompletableFuture<String> writing = CompletableFuture.completedFuture("");
        long start = System.nanoTime();
        int steps = 0;
        int states = 0;
        double longest = 0;
        double begun = 0;
        double now = 0;
        while (now < seconds) {
            if (saving != Saving.NONE && now >= states * every) {
                states++;
                writing.join();
                if (saving == Saving.ITSELF) {
                    learner.saveState(directory.resolve("state"));
                } else {
                    writing = learner.saveStateBehind(directory.resolve("state"));
                }
                begun += since(start) - now;
            }
            learner.accumulate(batch, batch.lossTokens());
            learner.clip(1);
            learner.update(1e-5);
            steps++;
            double then = since(start);
            longest = Math.max(longest, then - now);
            now = then;
        }
        writing.join();
        return new Leg(steps / now, longest, begun);
    }

    private static double since(long start) {
        return (System.nanoTime() - start) * 1e-9;
    }
}
