package io.tidemill.trainer.pretrain;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.optimizer.LearningRateSchedule;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Trains a decoder from random weights on a fixed text, and goes on where it was interrupted.
 *
 * <p>The order of the text, the packing and the schedule follow from the settings alone, so the resume point is no
 * more than the optimizer's state and the number of the next step. Linear decay to zero: Bergsma et al., "Straight to
 * Zero" (2025), arXiv:2502.15938.
 */
public final class BasePretraining {

    private static final int REPORT_STEPS = 20;
    private static final String STATE = "training-state.safetensors";

    private final ModelConfig config;
    private final PretrainSettings settings;
    private final PretrainText text;
    private final Path workDirectory;
    private final LongSupplier nanoClock;

    /**
     * @param workDirectory holds the resume point; made where it is missing
     * @param nanoClock     monotonic; nanoseconds
     */
    public BasePretraining(
            ModelConfig config,
            PretrainSettings settings,
            PretrainText text,
            Path workDirectory,
            LongSupplier nanoClock) {
        this.config = config;
        this.settings = settings;
        this.text = text;
        this.workDirectory = workDirectory;
        this.nanoClock = nanoClock;
    }

    /**
     * Trains to the last step and returns the weights, which the caller closes.
     *
     * @param saved is called after each resume point was written, with the weights of that moment, for a preview
     */
    public LanguageModel run(Consumer<PretrainReport> reports, Consumer<LanguageModel> saved) {
        Threads.intraOp(settings.threads());
        List<PackedBatch> firstEpoch = epoch(0);
        LearningRateSchedule schedule = new LearningRateSchedule(
                settings.peakLearningRate(),
                0,
                settings.warmupSteps(),
                (long) firstEpoch.size() * settings.epochs(),
                Decay.LINEAR);
        try (LanguageModel start = LanguageModel.random(config, settings.seed(), settings.compute());
                TrainableModel model =
                        TrainableModel.from(start, new AdamWSettings(0.9, 0.95, 1e-8, settings.weightDecay()))) {
            Files.createDirectories(workDirectory);
            Path state = workDirectory.resolve(STATE);
            if (Files.exists(state)) {
                model.loadState(state);
            }
            train(model, firstEpoch, schedule, reports, saved);
            return model.snapshot(settings.compute());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void train(
            TrainableModel model,
            List<PackedBatch> firstEpoch,
            LearningRateSchedule schedule,
            Consumer<PretrainReport> reports,
            Consumer<LanguageModel> saved) {
        long stepsPerEpoch = firstEpoch.size();
        long steps = stepsPerEpoch * settings.epochs();
        long resumedAt = model.steps();
        long savedAt = nanoClock.getAsLong();
        Progress progress = new Progress(nanoClock);
        List<PackedBatch> batches = firstEpoch;
        for (long step = resumedAt; step < steps; step++) {
            int position = (int) (step % stepsPerEpoch);
            if (position == 0 && step > 0 || step == resumedAt && step >= stepsPerEpoch) {
                batches = epoch((int) (step / stepsPerEpoch));
            }
            PackedBatch batch = batches.get(position % batches.size());
            long tokens = batch.lossTokens();
            double loss = model.accumulate(batch, tokens);
            double norm = model.clip(settings.maxGradientNorm());
            if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
                model.discardGradients();
                throw new IllegalStateException("Step " + step + " diverged: loss=" + loss + ", gradientNorm=" + norm
                        + ". Weights are those of step " + (step - 1) + ". Lower the peak learning rate, "
                        + settings.peakLearningRate() + ".");
            }
            double learningRate = schedule.at(step + 1);
            model.update(learningRate);
            progress.add(loss, tokens);
            if ((step + 1) % REPORT_STEPS == 0 || step + 1 == steps) {
                reports.accept(progress.report(step + 1, steps, learningRate));
            }
            if (nanoClock.getAsLong() - savedAt > settings.saveEvery().toNanos() || step + 1 == steps) {
                save(model, saved);
                savedAt = nanoClock.getAsLong();
            }
        }
    }

    /** Nats over the held-out text, each document cut into windows of the training length. */
    public HeldOutLoss evaluate(LanguageModel model) {
        List<int[]> windows = new ArrayList<>();
        for (int[] document : text.heldOut()) {
            for (int from = 0; from + 1 < document.length; from += settings.length()) {
                windows.add(
                        Arrays.copyOfRange(document, from, Math.min(document.length, from + settings.length() + 1)));
            }
        }
        double nats = 0;
        long tokens = 0;
        for (float[] logProbabilities : model.logProbabilities(windows)) {
            for (float logProbability : logProbabilities) {
                nats -= logProbability;
            }
            tokens += logProbabilities.length;
        }
        return new HeldOutLoss(nats, tokens, text.heldOutBytes());
    }

    /**
     * The text of one pass, shuffled by seed and number of the pass, packed. Passes differ by a batch or two in
     * length; all take as many steps as the first.
     */
    private List<PackedBatch> epoch(int number) {
        List<TrainingSequence> order = new ArrayList<>(text.training());
        Collections.shuffle(order, new Random(settings.seed() * 31 + number));
        return new Packer(settings.rows(), settings.length(), Packer.Policy.CUT).pack(order);
    }

    private void save(TrainableModel model, Consumer<LanguageModel> saved) {
        try {
            Path aside = workDirectory.resolve(STATE + ".aside");
            model.saveState(aside);
            Files.move(aside, workDirectory.resolve(STATE), StandardCopyOption.ATOMIC_MOVE);
            try (LanguageModel snapshot = model.snapshot(settings.compute())) {
                saved.accept(snapshot);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the resume point in " + workDirectory, e);
        }
    }
}
