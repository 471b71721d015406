package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** The weights of one model in native memory, float32 and in the type of the matrix products, and who frees them. */
record HeldWeights(
        Layout layout,
        TorchProgram program,
        PtNDManager manager,
        FlatWeights master,
        TorchProgram.Opaque compute,
        ComputeType type)
        implements AutoCloseable {

    /** Fills fresh native memory, which is freed again if that fails. */
    interface Filler {
        void fill(FlatWeights weights) throws IOException;
    }

    static HeldWeights make(Layout layout, TorchProgram program, ComputeType type, Filler filler) throws IOException {
        PtNDManager manager = TorchProgram.open();
        try {
            NDArray flat = FlatWeights.zeros(manager, layout.length());
            FlatWeights master = new FlatWeights(program, flat);
            filler.fill(master);
            return new HeldWeights(layout, program, manager, master, master.operands(manager, type), type);
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    /** What stands in a Hugging Face directory, after all names and shapes are found right. */
    static HeldWeights load(Path directory, StoredNames names, Layout layout, TorchProgram program, ComputeType type)
            throws IOException {
        return load(directory, directory, names, layout, program, type);
    }

    /** @param weights the directory or the file in it that holds the tensors */
    static HeldWeights load(
            Path directory, Path weights, StoredNames names, Layout layout, TorchProgram program, ComputeType type)
            throws IOException {
        try (Safetensors.Reader reader = Safetensors.open(weights)) {
            var stored = ModelFiles.check(directory, layout, names, reader);
            return make(layout, program, type, flat -> ModelFiles.read(layout, stored, reader, flat));
        }
    }

    /** Normal with this standard deviation, norms 1, biases 0; the seed alone decides, on any machine. */
    static HeldWeights random(Layout layout, TorchProgram program, ComputeType type, long seed, double deviation) {
        GaussianSource gaussian = new GaussianSource(seed);
        return made(layout, program, type, weights -> layout.slots()
                .forEach(slot -> ModelFiles.randomise(slot, weights, gaussian, deviation)));
    }

    static HeldWeights copyOf(Layout layout, TorchProgram program, ComputeType type, FlatWeights source) {
        return made(layout, program, type, weights -> weights.copyFrom(source));
    }

    /** What a layout with fewer tensors has of these weights. */
    static HeldWeights copyOf(Layout part, TorchProgram program, ComputeType type, Layout whole, FlatWeights source) {
        return made(part, program, type, weights -> copyShared(whole, source, part, weights));
    }

    /** Copies the tensors that both layouts have. */
    static void copyShared(Layout from, FlatWeights source, Layout to, FlatWeights into) {
        for (Layout.Slot slot : to.slots()) {
            if (from.has(slot.name())) {
                into.copyFrom(source, from.slot(slot.name()).at(), slot.at(), slot.length());
            }
        }
    }

    static HeldWeights made(Layout layout, TorchProgram program, ComputeType type, Filler filler) {
        try {
            return make(layout, program, type, filler);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** Fills a tensor that the weights it is copied from do not have; it is zero so far. */
    interface Newcomer {
        void fill(Layout.Slot slot, FlatWeights weights);
    }

    /** A copy in another layout: what both have is copied, what only this has is left out. */
    HeldWeights as(Layout other, TorchProgram otherProgram, Newcomer newcomer) {
        return made(other, otherProgram, type, weights -> {
            copyShared(layout, master, other, weights);
            other.slots().stream()
                    .filter(slot -> !layout.has(slot.name()))
                    .forEach(slot -> newcomer.fill(slot, weights));
        });
    }

    ModelFiles files() {
        return new ModelFiles(layout, master);
    }

    @Override
    public void close() {
        manager.close();
    }
}
