package io.tidemill.bench;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.base.DemoNovel;
import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.checkpoint.DeltaFile;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a refresh has to publish beside what its full weights are: goal P12. A model learns for some steps as a round does, all of it
 * or an adapter; its weights and the delta against those before are written in each type. One JSON object a type goes to
 * standard output; {@code merged_again} tells whether weights before and adapter give the weights after, bit for bit.
 *
 * <p>Settings: {@code --model} (embedded, or a name of {@link Shapes} with random weights; embedded), {@code --lora} (rank of an
 * adapter with α 16; 0, all weights), {@code --steps} (10), {@code --rate} (peak; 3e-4, what a round has), {@code --rows}
 * and {@code --tokens} (8 and 256), {@code --compute} (bfloat16). The rate rises for a tenth of the steps and then follows a
 * cosine. The embedded model reads its demo's novel, others read random ids.
 */
final class DeltaBench {
    private static final Set<String> SETTINGS = Set.of("model", "lora", "steps", "rate", "rows", "tokens", "compute");
    private static final String WEIGHTS = "model.safetensors";
    private static final double ALPHA = 16;

    private final Flags flags;
    private final Path directory;
    private final int rank;

    private DeltaBench(Flags flags, Path directory) {
        this.flags = flags;
        this.directory = directory;
        this.rank = flags.number("lora", 0);
    }

    public static void main(String[] arguments) throws IOException {
        Flags flags = new Flags(arguments, SETTINGS);
        Path directory = Files.createTempDirectory("tidemill-delta-");
        try {
            new DeltaBench(flags, directory).run();
        } finally {
            delete(directory);
        }
    }

    private void run() throws IOException {
        String name = flags.text("model", "embedded");
        ComputeType compute =
                ComputeType.valueOf(flags.text("compute", "bfloat16").toUpperCase(Locale.ROOT));
        try (LanguageModel model = model(name, compute)) {
            for (WeightType type : WeightType.values()) {
                model.save(directory.resolve("before-" + type), type);
            }
            if (rank > 0) {
                adapter(name, model);
            } else {
                whole(name, model, compute);
            }
        }
    }

    private LanguageModel model(String name, ComputeType compute) throws IOException {
        if (!name.equals("embedded")) {
            return LanguageModel.random(Shapes.named(name), 1, compute);
        }
        BaseModel.extractTo(directory.resolve("embedded"));
        return LanguageModel.load(directory.resolve("embedded"), compute);
    }

    private void whole(String name, LanguageModel model, ComputeType compute) throws IOException {
        try (TrainableModel learner = TrainableModel.from(model, AdamWSettings.defaults())) {
            learn(name, model, learner);
            try (LanguageModel after = learner.snapshot(compute)) {
                report(name, after, 0);
            }
        }
    }

    private void adapter(String name, LanguageModel model) throws IOException {
        try (TrainableAdapter learner =
                TrainableAdapter.from(model, LoraConfig.of(rank, ALPHA), 1, AdamWSettings.defaults())) {
            learn(name, model, learner);
            try (LoraAdapter adapter = learner.snapshot();
                    LanguageModel after = adapter.mergedInto(model)) {
                adapter.save(directory.resolve("adapter"), model);
                report(name, after, bytes(directory.resolve("adapter")));
            }
        }
    }

    private void learn(String name, LanguageModel model, DecoderLearner learner) throws IOException {
        int steps = flags.number("steps", 10);
        double peak = flags.real("rate", 3e-4);
        int[] ids = name.equals("embedded")
                ? novel()
                : new Random(7)
                        .ints(1 << 20, 0, model.config().vocabularySize())
                        .toArray();
        int rising = Math.max(1, steps / 10);
        for (int step = 0; step < steps; step++) {
            PackedBatch batch = batch(ids, step);
            learner.accumulate(batch, batch.lossTokens());
            learner.clip(1);
            double falling = (double) (step - rising) / Math.max(1, steps - rising);
            learner.update(step < rising ? peak * (step + 1) / rising : peak * 0.5 * (1 + Math.cos(Math.PI * falling)));
        }
    }

    private int[] novel() throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(directory.resolve("embedded"))) {
            return DemoNovel.documents()
                    .map(document -> tokenizer.encode(document.text()))
                    .flatMapToInt(Arrays::stream)
                    .toArray();
        }
    }

    /** Goes through the ids in order, and from the start when they end. */
    private PackedBatch batch(int[] all, int step) {
        int rows = flags.number("rows", 8);
        int length = flags.number("tokens", 256);
        int[][] ids = new int[rows][length];
        int[][] targets = new int[rows][length];
        int[][] segments = new int[rows][length];
        for (int row = 0; row < rows; row++) {
            int from = (step * rows + row) * length;
            for (int t = 0; t < length; t++) {
                ids[row][t] = all[(from + t) % all.length];
                targets[row][t] = t + 1 < length ? all[(from + t + 1) % all.length] : PackedBatch.IGNORED;
            }
            Arrays.fill(segments[row], 1);
        }
        return new PackedBatch(ids, targets, segments);
    }

    /** @param adapterBytes of the adapter's own files; 0 where there is none */
    private void report(String name, LanguageModel after, long adapterBytes) throws IOException {
        for (WeightType type : WeightType.values()) {
            Path before = directory.resolve("before-" + type);
            Path now = directory.resolve("after-" + type);
            after.save(now, type);
            FileDigest base = FileDigests.of(before, before.resolve(WEIGHTS));
            FileDigest result = FileDigests.of(now, now.resolve(WEIGHTS));
            Path delta = now.resolve("delta");
            long start = System.nanoTime();
            DeltaFile.write(before, base, now, result, delta, Long.MAX_VALUE);
            double written = (System.nanoTime() - start) / 1e9;
            start = System.nanoTime();
            DeltaFile.restore(delta, before.resolve(WEIGHTS), now.resolve("restored"), result);
            double restored = (System.nanoTime() - start) / 1e9;
            System.out.printf(
                    Locale.ROOT,
                    "{\"model\": \"%s\", \"learned\": \"%s\", \"steps\": %d, \"rate\": %s, \"type\": \"%s\","
                            + " \"full_bytes\": %d, \"delta_bytes\": %d, \"delta_share\": %.4f, \"write_seconds\": %.2f,"
                            + " \"restore_seconds\": %.2f, \"adapter_bytes\": %d, \"adapter_share\": %.4f,"
                            + " \"merged_again\": %b}%n",
                    name,
                    rank > 0 ? "adapter of rank " + rank : "all",
                    flags.number("steps", 10),
                    flags.text("rate", "3e-4"),
                    type.name().toLowerCase(Locale.ROOT),
                    result.getLength(),
                    Files.size(delta),
                    (double) Files.size(delta) / result.getLength(),
                    written,
                    restored,
                    adapterBytes,
                    (double) adapterBytes / result.getLength(),
                    adapterBytes > 0 && mergesAgain(before, type, result));
        }
    }

    /** Whether who has the weights before and the adapter gets those after, bit for bit. */
    private boolean mergesAgain(Path before, WeightType type, FileDigest result) throws IOException {
        Path again = directory.resolve("again-" + type);
        try (LanguageModel parent = LanguageModel.load(before, ComputeType.FLOAT32);
                LoraAdapter adapter = LoraAdapter.load(directory.resolve("adapter"), parent.config());
                LanguageModel merged = adapter.mergedInto(parent)) {
            merged.save(again, type);
        }
        return FileDigests.of(again, again.resolve(WEIGHTS)).equals(result);
    }

    private static long bytes(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.mapToLong(DeltaBench::size).sum();
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void delete(Path directory) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(directory)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.delete(path);
        }
    }
}
