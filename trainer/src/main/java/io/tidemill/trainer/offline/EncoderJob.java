package io.tidemill.trainer.offline;

import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.trainer.encoder.EncoderEvaluation;
import io.tidemill.trainer.stage.Stage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A job whose pupil is an encoder. */
final class EncoderJob implements Job<EncoderLearner> {
    private final EpochStage<EncoderLearner, ?> stage;
    private final EncoderPupil pupil;
    private final List<String> figures;
    private final Optional<Function<EncoderLearner, EncoderEvaluation>> judge;

    /**
     * @param figures what the judge gives
     * @param judge   empty where there is nothing to evaluate on
     */
    EncoderJob(
            EpochStage<EncoderLearner, ?> stage,
            EncoderPupil pupil,
            List<String> figures,
            Optional<Function<EncoderLearner, EncoderEvaluation>> judge) {
        this.stage = stage;
        this.pupil = pupil;
        this.figures = judge.isPresent() ? List.copyOf(figures) : List.of();
        this.judge = judge;
    }

    @Override
    public Stage<EncoderLearner> stage() {
        return stage;
    }

    @Override
    public EncoderLearner learner() {
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
    public List<String> figures() {
        return figures;
    }

    @Override
    public Evaluation evaluate() {
        return judge.map(by -> by.apply(learner()))
                .map(evaluation -> new Evaluation(evaluation.figures(), evaluation.table()))
                .orElse(Evaluation.NONE);
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
