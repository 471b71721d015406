package io.tidemill.model.engine;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** What becomes of gradients, whatever they are the gradients of, and the state that outlives a step. */
abstract class Trainable implements AutoCloseable {
    final TrainableWeights weights;

    Trainable(TrainableWeights weights) {
        this.weights = weights;
    }

    /** What must be equal for a state to fit. */
    abstract String stateShape();

    /** As {@link Learner#clip}. */
    public double clip(double maximumNorm) {
        return weights.clip(maximumNorm);
    }

    /** As {@link Learner#update}. */
    public void update(double learningRate) {
        weights.update(learningRate);
    }

    /** As {@link Learner#discardGradients}. */
    public void discardGradients() {
        weights.discardGradients();
    }

    /** Gradient of one tensor by its name in files. */
    float[] gradient(String name) {
        return weights.gradient(name);
    }

    /** Adds to one gradient; tests spoil gradients with it. */
    void spoilGradient(float value) {
        weights.spoilGradient(value);
    }

    /** Optimizer steps so far, those before {@link #loadState} included. */
    public long steps() {
        return weights.steps();
    }

    /** As {@link Learner#saveState}. */
    public String saveState(Path file) {
        return weights.saveState(file, stateShape());
    }

    /** As {@link Learner#saveStateBehind}. */
    public CompletableFuture<String> saveStateBehind(Path file) {
        return weights.saveStateBehind(file, stateShape());
    }

    /** As {@link Learner#loadState}. */
    public void loadState(Path file) {
        weights.loadState(file, stateShape());
    }

    @Override
    public void close() {
        weights.close();
    }
}
