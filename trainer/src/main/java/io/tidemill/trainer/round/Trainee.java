package io.tidemill.trainer.round;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.Adapter;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.EncoderAdapter;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.Model;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableEncoder;
import io.tidemill.model.engine.TrainableEncoderAdapter;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.round.MixtureSettings.Anchor;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * What goes from stage to stage of a round. It begins as the champion, whose weights it reads and never changes; each
 * stage takes its place with what it has learnt.
 *
 * @param <M> what it is
 * @param <L> how a stage teaches it
 */
interface Trainee<M extends Model<M>, L extends Learner> extends AutoCloseable {
    /**
     * Lets a stage learn, from where the stage before ended.
     *
     * @param critic whether a critic learns beside the policy, which ends with the stage
     */
    void learn(AdamWSettings optimizer, boolean critic, Consumer<L> stage);

    /** The whole model as it ends, which the caller closes; no stage may follow. */
    M end();

    /** Writes what stands beside the weights of the version, into its directory. */
    void saveBeside(Path version);

    @Override
    void close();

    /**
     * All weights of a decoder.
     *
     * @param anchor how strongly it is held to the masters
     */
    static Trainee<LanguageModel, DecoderLearner> whole(LanguageModel masters, ComputeType compute, Anchor anchor) {
        return new Whole<LanguageModel, DecoderLearner, TrainableModel>(masters) {
            @Override
            TrainableModel learner(LanguageModel start, AdamWSettings optimizer, boolean critic) {
                TrainableModel learner = free(start, optimizer, critic);
                learner.anchor(masters, anchor.l2());
                learner.holdSpeech(masters, anchor.kl());
                return learner;
            }

            private TrainableModel free(LanguageModel start, AdamWSettings optimizer, boolean critic) {
                if (!critic) {
                    return TrainableModel.from(start, optimizer);
                }
                try (LanguageModel criticised = start.withValueHead()) {
                    return TrainableModel.from(criticised, optimizer);
                }
            }

            @Override
            LanguageModel snapshot(TrainableModel learner) {
                return learner.snapshot(compute);
            }
        };
    }

    /**
     * All weights of an encoder.
     *
     * @param anchor how strongly each step goes back towards the masters; 0 for not at all
     */
    static Trainee<EncoderModel, EncoderLearner> whole(EncoderModel masters, ComputeType compute, double anchor) {
        return new Whole<EncoderModel, EncoderLearner, TrainableEncoder>(masters) {
            @Override
            TrainableEncoder learner(EncoderModel start, AdamWSettings optimizer, boolean critic) {
                TrainableEncoder learner = TrainableEncoder.from(start, optimizer);
                learner.anchor(masters, anchor);
                return learner;
            }

            @Override
            EncoderModel snapshot(TrainableEncoder learner) {
                return learner.snapshot(compute);
            }
        };
    }

    /**
     * An adapter on a decoder's frozen weights.
     *
     * @param anchor of which only what the model says can be held
     */
    static Trainee<LanguageModel, DecoderLearner> adapter(
            LanguageModel masters, LoraConfig config, long seed, Anchor anchor) {
        LoraAdapter initial = LoraAdapter.initial(config, masters.config(), seed);
        return new OfAdapter<LanguageModel, DecoderLearner, TrainableAdapter, LoraAdapter>(masters, initial) {
            @Override
            void teach(LoraAdapter start, AdamWSettings optimizer, boolean critic, Consumer<TrainableAdapter> run) {
                if (critic) {
                    try (LanguageModel criticised = masters.withValueHead();
                            LoraAdapter wider = start.withValueHead();
                            TrainableAdapter learner = TrainableAdapter.from(criticised, wider, optimizer)) {
                        learner.holdSpeech(masters, anchor.kl());
                        run.accept(learner);
                    }
                } else {
                    try (TrainableAdapter learner = TrainableAdapter.from(masters, start, optimizer)) {
                        learner.holdSpeech(masters, anchor.kl());
                        run.accept(learner);
                    }
                }
            }

            @Override
            LoraAdapter snapshot(TrainableAdapter learner) {
                return learner.snapshot();
            }
        };
    }

    /** An adapter on an encoder's frozen weights. */
    static Trainee<EncoderModel, EncoderLearner> adapter(EncoderModel masters, LoraConfig config, long seed) {
        EncoderAdapter initial = EncoderAdapter.initial(config, masters, seed);
        return new OfAdapter<EncoderModel, EncoderLearner, TrainableEncoderAdapter, EncoderAdapter>(masters, initial) {
            @Override
            void teach(
                    EncoderAdapter start,
                    AdamWSettings optimizer,
                    boolean critic,
                    Consumer<TrainableEncoderAdapter> run) {
                try (TrainableEncoderAdapter learner = TrainableEncoderAdapter.from(masters, start, optimizer)) {
                    run.accept(learner);
                }
            }

            @Override
            EncoderAdapter snapshot(TrainableEncoderAdapter learner) {
                return learner.snapshot();
            }
        };
    }

    /** All weights: a stage has them four times, so nothing else is kept while it runs. */
    abstract class Whole<M extends Model<M>, L extends Learner, T extends L> implements Trainee<M, L> {
        private final M masters;
        private M learnt; // null before the first stage, and while one runs

        private Whole(M masters) {
            this.masters = masters;
        }

        abstract T learner(M start, AdamWSettings optimizer, boolean critic);

        abstract M snapshot(T learner);

        @Override
        public void learn(AdamWSettings optimizer, boolean critic, Consumer<L> stage) {
            try (T learner = learner(learnt == null ? masters : learnt, optimizer, critic)) {
                close();
                stage.accept(learner);
                learnt = snapshot(learner);
            }
        }

        @Override
        public M end() {
            M end = learnt == null ? masters.copy() : learnt;
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
    abstract class OfAdapter<M extends Model<M>, L extends Learner, T extends L, A extends Adapter<M>>
            implements Trainee<M, L> {
        private final M masters;
        private A learnt;

        private OfAdapter(M masters, A learnt) {
            this.masters = masters;
            this.learnt = learnt;
        }

        /** Opens a learner that begins as that adapter, and closes it when it has learnt. */
        abstract void teach(A start, AdamWSettings optimizer, boolean critic, Consumer<T> run);

        abstract A snapshot(T learner);

        @Override
        public void learn(AdamWSettings optimizer, boolean critic, Consumer<L> stage) {
            teach(learnt, optimizer, critic, learner -> {
                stage.accept(learner);
                A next = snapshot(learner);
                learnt.close();
                learnt = next;
            });
        }

        @Override
        public M end() {
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
