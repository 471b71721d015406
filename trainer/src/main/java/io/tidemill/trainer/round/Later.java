package io.tidemill.trainer.round;

import io.tidemill.model.engine.Model;
import java.util.function.Supplier;

/** A model that is loaded when it is asked for, if it ever is. */
final class Later<M extends Model<M>> implements Supplier<M>, AutoCloseable {
    private final Supplier<M> loading;
    private final boolean borrowed;
    private M model; // null before it was asked for

    private Later(Supplier<M> loading, boolean borrowed) {
        this.loading = loading;
        this.borrowed = borrowed;
    }

    static <M extends Model<M>> Later<M> of(Supplier<M> loading) {
        return new Later<>(loading, false);
    }

    /** One that somebody else closes. */
    static <M extends Model<M>> Later<M> borrowed(M model) {
        return new Later<>(() -> model, true);
    }

    @Override
    public M get() {
        if (model == null) {
            model = loading.get();
        }
        return model;
    }

    @Override
    public void close() {
        if (model != null && !borrowed) {
            model.close();
        }
    }
}
