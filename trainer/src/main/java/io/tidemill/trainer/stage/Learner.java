package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DpoResult;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.PreferencePair;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import java.nio.file.Path;
import java.util.List;

/** What a stage trains: all weights of a model, or an adapter on it. One thread owns it. */
public interface Learner extends AutoCloseable {
    /** As {@link TrainableModel#accumulate(PackedBatch, long)}. */
    double accumulate(PackedBatch batch, long lossTokensOfStep);

    /** As {@link TrainableModel#accumulate(List, double, double, double)}. */
    DpoResult accumulate(List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight);

    /** As {@link TrainableModel#clip}. */
    double clip(double maximumNorm);

    void update(double learningRate);

    void discardGradients();

    /** As {@link TrainableModel#recomputeActivations}. */
    void recomputeActivations(boolean recompute);

    /** Writes all that the next step depends on, exactly; flushed. */
    void saveState(Path file);

    void loadState(Path file);

    @Override
    void close();

    /** All weights; closes the model with itself. */
    static Learner of(TrainableModel model) {
        return new Whole(model);
    }

    /** An adapter; closes it with itself. */
    static Learner of(TrainableAdapter adapter) {
        return new Adapter(adapter);
    }

    /** Passes everything on. */
    record Whole(TrainableModel model) implements Learner {
        @Override
        public double accumulate(PackedBatch batch, long lossTokensOfStep) {
            return model.accumulate(batch, lossTokensOfStep);
        }

        @Override
        public DpoResult accumulate(
                List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight) {
            return model.accumulate(pairs, beta, weightOfStep, supervisedWeight);
        }

        @Override
        public double clip(double maximumNorm) {
            return model.clip(maximumNorm);
        }

        @Override
        public void update(double learningRate) {
            model.update(learningRate);
        }

        @Override
        public void discardGradients() {
            model.discardGradients();
        }

        @Override
        public void recomputeActivations(boolean recompute) {
            model.recomputeActivations(recompute);
        }

        @Override
        public void saveState(Path file) {
            model.saveState(file);
        }

        @Override
        public void loadState(Path file) {
            model.loadState(file);
        }

        @Override
        public void close() {
            model.close();
        }
    }

    /** Passes everything on. */
    record Adapter(TrainableAdapter adapter) implements Learner {
        @Override
        public double accumulate(PackedBatch batch, long lossTokensOfStep) {
            return adapter.accumulate(batch, lossTokensOfStep);
        }

        @Override
        public DpoResult accumulate(
                List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight) {
            return adapter.accumulate(pairs, beta, weightOfStep, supervisedWeight);
        }

        @Override
        public double clip(double maximumNorm) {
            return adapter.clip(maximumNorm);
        }

        @Override
        public void update(double learningRate) {
            adapter.update(learningRate);
        }

        @Override
        public void discardGradients() {
            adapter.discardGradients();
        }

        @Override
        public void recomputeActivations(boolean recompute) {
            adapter.recomputeActivations(recompute);
        }

        @Override
        public void saveState(Path file) {
            adapter.saveState(file);
        }

        @Override
        public void loadState(Path file) {
            adapter.loadState(file);
        }

        @Override
        public void close() {
            adapter.close();
        }
    }
}
