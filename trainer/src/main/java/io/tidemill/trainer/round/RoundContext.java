package io.tidemill.trainer.round;

import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.Model;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.gate.AnswerCache;
import io.tidemill.trainer.gate.Gate;
import io.tidemill.trainer.gate.OperatorSuites;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StageRunner;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepMemoryException;
import io.tidemill.trainer.stage.StepReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * What every round works with, and how its stages follow each other.
 *
 * @param microBatch it runs with
 * @param metrics    by name; more are added while the round runs
 * @param answers    what versions answered the gate before
 */
record RoundContext(
        RoundPlan plan,
        WorkDirectory work,
        MicroBatch microBatch,
        CheckpointStore store,
        RoundReporter reporter,
        RoundControl control,
        Arithmetic arithmetic,
        LongSupplier nanoClock,
        Map<String, Double> metrics,
        AnswerCache answers) {

    /** Makes a stage by its name; without steps where there is nothing to learn. */
    @FunctionalInterface
    interface Stages<L extends Learner> {
        Stage<L> stage(String name) throws IOException;
    }

    /** Of the champion. */
    Path parent() {
        return store.directory(plan.parentId());
    }

    RoundSettings settings() {
        return plan.settings();
    }

    /** The operator's own suites, as their files are now. A file that has become unusable makes the round wait. */
    OperatorSuites operatorSuites() {
        try {
            return OperatorSuites.read(settings().gate().policy());
        } catch (IllegalArgumentException e) {
            throw new UncheckedIOException(e.getMessage(), new IOException(e));
        }
    }

    Gate.Policy policy(OperatorSuites operator) {
        return operator.policy(settings().gate().oldData().isEmpty() ? Set.of() : Set.of(GateCheck.OLD_DATA_LOSS));
    }

    /** The champion's float32 weights: its own, where they are published as such, and then no second copy. */
    <M extends Model<M>> Later<M> masters(M champion, Function<Path, M> loading) {
        Path masters = store.masters(plan.parentId());
        return masters.equals(parent()) ? Later.borrowed(champion) : Later.of(() -> loading.apply(masters));
    }

    /** The stage that was saved last, if it is one of those; others are of an older program. */
    Optional<String> saved(List<String> names) {
        return work.stage().filter(names::contains);
    }

    /**
     * Runs stages one after the other, or those that are left of them.
     *
     * @param names      in their order
     * @param criticised by its name, whether a critic learns beside the policy
     * @param asked      the learner as the stages see it
     */
    <M extends Model<M>, L extends Learner> void learn(
            List<String> names,
            Stages<L> stages,
            Trainee<M, L> trainee,
            Predicate<String> criticised,
            UnaryOperator<L> asked)
            throws IOException {
        Optional<String> saved = saved(names);
        for (String name : names) {
            if (saved.isPresent() && !saved.get().equals(name)) {
                continue; // its result is contained in the state of the stage that was saved
            }
            Stage<L> stage = stages.stage(name);
            if (stage.steps() == 0) {
                continue;
            }
            saved = Optional.empty();
            metrics.put(name + "_tokens", (double) stage.tokens());
            trainee.learn(
                    stage.optimizer().adamW(), criticised.test(name), learner -> run(stage, asked.apply(learner)));
        }
    }

    /** Runs a stage's steps from where they were last saved. */
    <L extends Learner> void run(Stage<L> stage, L learner) {
        metrics.put(stage.name() + "_steps", (double) stage.steps());
        reporter.stage(stage.name(), stage.steps());
        try {
            new StageRunner(work, new Listener(), settings().saveEvery(), nanoClock)
                    .run(stage, learner, microBatch.callSize());
        } catch (StepMemoryException e) {
            throw new MicroBatchException(
                    MicroBatch.Part.of(stage.name()), stage.longest(), e.getMessage(), (NativeMemoryException)
                            e.getCause());
        }
    }

    /** Reports steps, lets commands in between them. */
    private final class Listener implements StepListener {
        @Override
        public void before(Stage<?> stage, long step) {
            control.check();
        }

        @Override
        public void after(Stage<?> stage, StepReport report) {
            reporter.step(report);
            metrics.put(stage.name() + "_loss", report.loss());
            report.figures().forEach((name, value) -> metrics.put(stage.name() + "_" + name, value));
        }
    }
}
