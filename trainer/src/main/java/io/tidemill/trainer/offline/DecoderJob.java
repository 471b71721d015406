package io.tidemill.trainer.offline;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.trainer.stage.Stage;
import java.io.IOException;
import java.nio.file.Path;

/** A job whose pupil is a decoder. */
abstract class DecoderJob implements Job<DecoderLearner> {
    private final EpochStage<DecoderLearner, ?> stage;
    private final DecoderPupil pupil;

    DecoderJob(EpochStage<DecoderLearner, ?> stage, DecoderPupil pupil) {
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
        return stage.epochs(step);
    }

    @Override
    public boolean endsEpoch(long step) {
        return stage.endsEpoch(step);
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
