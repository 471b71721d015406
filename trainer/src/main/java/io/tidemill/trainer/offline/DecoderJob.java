package io.tidemill.trainer.offline;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.trainer.stage.Stage;
import java.io.IOException;
import java.nio.file.Path;

/** A job whose pupil is a decoder; one over examples unless it says how it counts passes. */
abstract class DecoderJob implements Job<DecoderLearner> {
    private final Stage<DecoderLearner> stage;
    private final DecoderPupil pupil;

    DecoderJob(Stage<DecoderLearner> stage, DecoderPupil pupil) {
        this.stage = stage;
        this.pupil = pupil;
    }

    @Override
    public Stage<DecoderLearner> stage() {
        return stage;
    }

    @Override
    public DecoderLearner learner() {
        return pupil.learner();
    }

    @Override
    public double epochs(long step) {
        return ((EpochStage<DecoderLearner, ?>) stage).epochs(step);
    }

    @Override
    public boolean endsEpoch(long step) {
        return ((EpochStage<DecoderLearner, ?>) stage).endsEpoch(step);
    }

    @Override
    public void save(Path directory, boolean finish) throws IOException {
        pupil.save(directory, finish);
    }

    @Override
    public void close() {
        pupil.close();
    }
}
