package io.tidemill.trainer.round;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.trainer.checkpoint.VersionFiles;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * What goes from stage to stage of a round. It begins as the champion, whose weights it reads and never changes; each
 * stage takes its place with what it has learnt.
 */
interface Trainee extends AutoCloseable {
    /**
     * Lets a stage learn, from where the stage before ended.
     *
     * @param critic whether a critic learns beside the policy, which ends with the stage
     */
    void learn(AdamWSettings optimizer, boolean critic, Consumer<DecoderLearner> stage);

    /** The whole model as it ends, which the caller closes; no stage may follow. */
    LanguageModel end();

    /** Writes what stands beside the weights of the version, into its directory. */
    void saveBeside(Path version);

    @Override
    void close();

    /** All weights. */
    static Trainee whole(LanguageModel masters, ComputeType compute) {
        return new Whole(masters, compute);
    }

    /** An adapter on frozen weights. */
    static Trainee adapter(LanguageModel masters, LoraConfig config, long seed) {
        return new Adapter(masters, LoraAdapter.initial(config, masters.config(), seed));
    }

    /** All weights: a stage has them four times, so nothing else is kept while it runs. */
    final class Whole implements Trainee {
        private final LanguageModel masters;
        private final ComputeType compute;
        private LanguageModel learnt; // null before the first stage, and while one runs

        private Whole(LanguageModel masters, ComputeType compute) {
            this.masters = masters;
            this.compute = compute;
        }

        @Override
        public void learn(AdamWSettings optimizer, boolean critic, Consumer<DecoderLearner> stage) {
            try (TrainableModel model = learner(learnt == null ? masters : learnt, optimizer, critic)) {
                close();
                stage.accept(model);
                learnt = model.snapshot(compute);
            }
        }

        private static TrainableModel learner(LanguageModel start, AdamWSettings optimizer, boolean critic) {
            if (!critic) {
                return TrainableModel.from(start, optimizer);
            }
            try (LanguageModel criticised = start.withValueHead()) {
                return TrainableModel.from(criticised, optimizer);
            }
        }

        @Override
        public LanguageModel end() {
            LanguageModel end = learnt == null ? masters.copy() : learnt;
            learnt = null;
            return end;
        }

        @Override
        public void saveBeside(Path version) {}

        @Override
        public void close() {
            if (learnt != null) {
                learnt.close();
                learnt = null;
            }
        }
    }

    /** An adapter, merged only at the end. */
    final class Adapter implements Trainee {
        private final LanguageModel masters;
        private LoraAdapter learnt;

        private Adapter(LanguageModel masters, LoraAdapter learnt) {
            this.masters = masters;
            this.learnt = learnt;
        }

        @Override
        public void learn(AdamWSettings optimizer, boolean critic, Consumer<DecoderLearner> stage) {
            if (critic) {
                throw new IllegalArgumentException(RoundSettings.NO_CRITIC);
            }
            try (TrainableAdapter adapter = TrainableAdapter.from(masters, learnt, optimizer)) {
                stage.accept(adapter);
                LoraAdapter next = adapter.snapshot();
                learnt.close();
                learnt = next;
            }
        }

        @Override
        public LanguageModel end() {
            return learnt.mergedInto(masters);
        }

        @Override
        public void saveBeside(Path version) {
            learnt.save(version.resolve(VersionFiles.ADAPTER), masters);
        }

        @Override
        public void close() {
            learnt.close();
        }
    }
}
