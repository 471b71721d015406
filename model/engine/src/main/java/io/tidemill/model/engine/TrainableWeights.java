package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;

/**
 * Float32 master weights, their gradients, AdamW's moments and its step count: what is trained, whatever the model.
 *
 * @see TrainableModel
 * @see TrainableAdapter
 * @see TrainableEncoder
 */
final class TrainableWeights implements AutoCloseable {
    private final AdamWSettings settings;
    private final Layout layout;
    private final List<ParameterGroups.Range> ranges;
    private final TorchProgram program;
    private final PtNDManager manager;
    private final FlatWeights master;
    private final TorchProgram.Opaque compute;
    private final FlatWeights gradients;
    private final FlatWeights mean;
    private final FlatWeights square;
    private final NDArray step;
    private long steps;
    private Anchor anchor; // null where nothing holds the weights

    /** Done when no writer of a state reads weights and moments any more. */
    private CompletableFuture<Void> read = CompletableFuture.completedFuture(null);

    /** @param ranges of each: place, place in the anchor, length */
    private record Anchor(FlatWeights weights, long[] ranges, double strength) {}

    /** Copies the weights. */
    TrainableWeights(HeldWeights start, AdamWSettings settings) {
        this.settings = settings;
        this.layout = start.layout();
        this.ranges = settings.groups().ranges(layout, settings.weightDecay());
        this.program = start.program();
        this.manager = TorchProgram.open();
        try {
            this.master = flat();
            this.gradients = flat();
            this.mean = flat();
            this.square = flat();
            this.step = manager.create(0f);
            master.copyFrom(start.master());
            this.compute = master.operands(manager, start.type());
        } catch (RuntimeException e) {
            manager.close(); // what there was memory for
            throw e;
        }
    }

    private FlatWeights flat() {
        return new FlatWeights(program, FlatWeights.zeros(manager, layout.length()));
    }

    FlatWeights master() {
        return master;
    }

    TorchProgram program() {
        return program;
    }

    TorchProgram.Opaque compute() {
        return compute;
    }

    /**
     * Runs a method that adds to the gradients: its first three arguments are master weights, operands and gradients.
     *
     * @param call owns the result
     */
    NDArray accumulate(PtNDManager call, String method, Object... arguments) {
        Object[] all = new Object[arguments.length + 3];
        all[0] = master.array();
        all[1] = compute;
        all[2] = gradients.array();
        System.arraycopy(arguments, 0, all, 3, arguments.length);
        return program.train(call, method, all).get(0);
    }

    /** What the methods of a decoder that learns as a whole begin with: weights, operands, gradients, no adapter. */
    List<Object> operands(PtNDManager call) {
        return List.of(master.array(), compute, gradients.array(), Batches.none(call));
    }

    /** The same where these weights are an adapter on others that stay as they are. */
    List<Object> operandsOn(HeldWeights frozen) {
        return List.of(frozen.master().array(), frozen.compute(), gradients.array(), master.array());
    }

    /** Runs a method with these arguments; {@code call} owns the result. */
    NDList run(PtNDManager call, String method, List<Object> arguments) {
        return program.train(call, method, arguments.toArray());
    }

    /** Reads these weights as those of a decoder. */
    Scorer scorer(ModelConfig config) {
        return new Scorer(config, program, master, compute, Optional.empty());
    }

    /** Reads others with these as an adapter on them. */
    Scorer scorerOn(LanguageModel base) {
        return new Scorer(base.config(), program, base.master(), base.compute(), Optional.of(master));
    }

    /** Copies these weights. */
    HeldWeights snapshot() {
        return snapshot(layout, program, ComputeType.FLOAT32);
    }

    /** Copies these weights, all or those of a layout that has fewer. */
    HeldWeights snapshot(Layout of, TorchProgram with, ComputeType type) {
        return of.length() == layout.length()
                ? HeldWeights.copyOf(of, with, type, master)
                : HeldWeights.copyOf(of, with, type, layout, master);
    }

    double clip(double maximumNorm) {
        if (!(maximumNorm > 0)) {
            throw new IllegalArgumentException("maximumNorm must be positive, but was " + maximumNorm);
        }
        try (PtNDManager call = TorchProgram.open()) {
            hold(call);
            return program.train(call, "clip", gradients.array(), TorchProgram.scalar(call, maximumNorm))
                    .get(0)
                    .toDoubleArray()[0];
        }
    }

    /** Forgets the gradients of what is frozen. */
    private void hold(PtNDManager call) {
        long[] held = ranges.stream()
                .filter(ParameterGroups.Range::held)
                .flatMapToLong(range -> LongStream.of(range.at(), range.length()))
                .toArray();
        if (held.length > 0) {
            program.train(call, "hold", gradients.array(), call.create(held));
        }
    }

    /**
     * From now on every step also goes back towards other weights: θ ← θ − η·λ·(θ − θ₀), beside AdamW's step as its weight
     * decay is, which is the case θ₀ = 0. Learning then ends near θ₀ in the directions that its loss does not care about: L2-SP, Li,
     * Grandvalet and Davoine (2018), arXiv:1802.01483, and elastic weight consolidation (Kirkpatrick et al. 2017,
     * arXiv:1612.00796) with the same importance for all weights. Differs: not part of the gradient that AdamW rescales
     * (Loshchilov and Hutter 2019, arXiv:1711.05101).
     *
     * @param held     θ₀, not copied: it stays open and unchanged as long as this learns. Only tensors that both have are pulled
     * @param strength λ
     */
    void anchor(HeldWeights held, double strength) {
        if (!(strength >= 0) || Double.isInfinite(strength)) {
            throw new IllegalArgumentException(
                    "An anchor's strength must be 0 or more and finite, but was " + strength);
        }
        long[] shared = layout.slots().stream()
                .filter(slot -> held.layout().has(slot.name()))
                .flatMapToLong(slot ->
                        LongStream.of(slot.at(), held.layout().slot(slot.name()).at(), slot.length()))
                .toArray();
        boolean alike = held.layout().length() == layout.length()
                && shared.length == 3 * layout.slots().size();
        anchor = strength == 0
                ? null
                : new Anchor(held.master(), alike ? new long[] {0, 0, layout.length()} : shared, strength);
    }

    private void pull(double learningRate) {
        if (anchor == null) {
            return;
        }
        double share = Math.min(1, learningRate * anchor.strength);
        try (PtNDManager call = TorchProgram.open()) {
            program.train(
                    call,
                    "pull",
                    master.array(),
                    anchor.weights.array(),
                    call.create(anchor.ranges),
                    TorchProgram.scalar(call, share));
        }
    }

    void update(double learningRate) {
        if (!(learningRate >= 0) || Double.isInfinite(learningRate)) {
            throw new IllegalArgumentException("learningRate must be 0 or more and finite, but was " + learningRate);
        }
        read.join();
        pull(learningRate);
        try (PtNDManager call = TorchProgram.open()) {
            program.train(
                    call,
                    "update",
                    master.array(),
                    compute,
                    gradients.array(),
                    mean.array(),
                    square.array(),
                    step,
                    call.create(numbers(learningRate)));
        }
        steps++;
    }

    private double[] numbers(double learningRate) {
        DoubleStream ofAll = DoubleStream.of(learningRate, settings.beta1(), settings.beta2(), settings.epsilon());
        DoubleStream ofRanges = ranges.stream()
                .filter(range -> !range.held())
                .flatMapToDouble(
                        range -> DoubleStream.of(range.at(), range.length(), range.factor(), range.weightDecay()));
        return DoubleStream.concat(ofAll, ofRanges).toArray();
    }

    void discardGradients() {
        try (PtNDManager call = TorchProgram.open()) {
            program.train(call, "discard", gradients.array());
        }
    }

    float[] gradient(String name) {
        Layout.Slot slot = layout.slot(name);
        float[] values = new float[Math.toIntExact(slot.length())];
        gradients.read(slot.at(), values, values.length);
        return values;
    }

    void spoilGradient(float value) {
        gradients.write(0, new float[] {value}, 1);
    }

    long steps() {
        return steps;
    }

    // ---- files ------------------------------------------------------------------------------------------------------

    /**
     * @param shape what must be equal for a state to fit
     * @return SHA-256 of the file in hexadecimal
     */
    String saveState(Path file, String shape) {
        return write(file, shape, steps, () -> {});
    }

    /**
     * The same by a thread of its own. Weights and moments change in {@link #update} alone, so what is written is that of now;
     * whoever is about to change them waits until they have been read.
     */
    CompletableFuture<String> saveStateBehind(Path file, String shape) {
        read.join();
        long taken = steps;
        CompletableFuture<Void> reading = new CompletableFuture<>();
        read = reading;
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        Threads.intraOp(1);
                        return write(file, shape, taken, () -> reading.complete(null));
                    } finally {
                        reading.complete(null);
                    }
                },
                writing -> {
                    Thread thread = new Thread(writing, "training-state");
                    thread.setDaemon(true);
                    thread.start();
                });
    }

    /** @param whenRead told when the last weight has been read; the file is not flushed yet */
    private String write(Path file, String shape, long taken, Runnable whenRead) {
        List<Safetensors.Entry> entries = List.of(state("weights"), state("mean"), state("square"));
        Map<String, String> metadata = Map.of("steps", Long.toString(taken), "shape", shape);
        try {
            return Safetensors.writeRaw(file, metadata, entries, (entry, sink) -> {
                part(entry.name()).readRaw(sink);
                if (entry.equals(entries.get(entries.size() - 1))) {
                    whenRead.run();
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write training state to " + file + ": " + e.getMessage(), e);
        }
    }

    void loadState(Path file, String shape) {
        try (Safetensors.Reader reader = Safetensors.open(file)) {
            String found = reader.metadata().get("shape");
            if (!shape.equals(found)) {
                throw new IllegalArgumentException(
                        file + " is the state of a model of another shape: " + found + " instead of " + shape);
            }
            long saved = Long.parseLong(reader.metadata().getOrDefault("steps", ""));
            for (String name : List.of("weights", "mean", "square")) {
                if (reader.entry(name).length() != layout.length()) {
                    throw new IllegalArgumentException(file + ": " + name + " has "
                            + reader.entry(name).length() + " elements instead of " + layout.length());
                }
            }
            read.join();
            for (String name : List.of("weights", "mean", "square")) {
                reader.read(name, part(name)::write);
            }
            steps = saved;
            weightsChanged(saved);
            discardGradients();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read training state from " + file + ": " + e.getMessage(), e);
        }
    }

    private void weightsChanged(long stepsTaken) {
        try (PtNDManager call = TorchProgram.open()) {
            program.train(call, "assign", step, call.create((float) stepsTaken));
            program.train(call, "refresh", compute, master.array());
        }
    }

    private Safetensors.Entry state(String name) {
        return new Safetensors.Entry(name, WeightType.FLOAT32.safetensorsName(), new long[] {layout.length()});
    }

    private FlatWeights part(String name) {
        return switch (name) {
            case "weights" -> master;
            case "mean" -> mean;
            default -> square;
        };
    }

    @Override
    public void close() {
        read.join();
        manager.close();
    }
}
