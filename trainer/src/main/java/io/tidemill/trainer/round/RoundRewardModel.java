package io.tidemill.trainer.round;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.Sums;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.stage.PairStage;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.TokenizedPair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reward model of a round: {@code reward-model/} beside the version's weights, a Hugging Face directory of its own. It
 * goes on from the parent's, or begins as the champion with a head of one score. Trained before the round's stages and kept
 * in the work directory until the version is published, so that an interrupted round finds it again.
 */
final class RoundRewardModel {
    /** As stage and as directory. */
    static final String NAME = VersionFiles.REWARD_MODEL;

    private static final Logger LOG = LoggerFactory.getLogger(RoundRewardModel.class);

    private final RoundPlan plan;
    private final Path parent;
    private final Path kept;

    /**
     * @param parent directory of the champion
     * @param work   directory of the round
     */
    RoundRewardModel(RoundPlan plan, Path parent, Path work) {
        this.plan = plan;
        this.parent = parent;
        this.kept = work.resolve(NAME);
    }

    /** Runs the steps of a stage; memory and commands are its affair. */
    @FunctionalInterface
    interface Runner {
        void run(Stage<DecoderLearner> stage, DecoderLearner learner);
    }

    /** Where it is, once it is trained; where nothing new was learned, the parent's. */
    Optional<Path> directory() {
        if (Files.isDirectory(kept)) {
            return Optional.of(kept);
        }
        Path before = parent.resolve(NAME);
        return plan.settings().rewardModel().learns() && Files.isDirectory(before)
                ? Optional.of(before)
                : Optional.empty();
    }

    /** Trains it on the pairs, unless that is done or there are none. */
    void train(List<TokenizedPair> pairs, LanguageModel champion, Runner runner) throws IOException {
        forgetIfDamaged();
        RewardModelSettings settings = plan.settings().rewardModel();
        if (!settings.learns() || pairs.isEmpty() || Files.isDirectory(kept)) {
            return;
        }
        Stage<DecoderLearner> stage = PairStage.of(
                NAME,
                pairs,
                pairs.stream().map(pair -> PairStage.Reference.NONE).toList(),
                settings.newObjective(),
                settings.optimizer(),
                settings.pairs(),
                settings.epochs(),
                plan.seed());
        try (LanguageModel start = start(champion);
                TrainableModel learner =
                        TrainableModel.from(start, stage.optimizer().adamW())) {
            runner.run(stage, learner);
            try (LanguageModel trained = learner.snapshot(plan.settings().compute())) {
                keep(trained);
            }
        }
    }

    private void forgetIfDamaged() throws IOException {
        List<String> flaws = Sums.flaws(kept, true);
        if (!flaws.isEmpty() || (Files.isDirectory(kept) && !Files.exists(kept.resolve(Sums.FILE)))) {
            LOG.warn("The reward model of round {} is trained again: {}", plan.round(), String.join(" ", flaws));
            Durable.deleteTree(kept);
        }
    }

    private LanguageModel start(LanguageModel champion) {
        Path before = parent.resolve(NAME);
        return Files.isDirectory(before)
                ? LanguageModel.load(before, plan.settings().compute())
                : champion.withScores(1, plan.seed());
    }

    private void keep(LanguageModel trained) throws IOException {
        Path aside = kept.resolveSibling(NAME + ".aside");
        Durable.deleteTree(aside);
        Files.createDirectories(aside);
        trained.save(aside, WeightType.FLOAT32);
        VersionFiles.copyCompanions(parent, aside);
        Files.deleteIfExists(aside.resolve(VersionFiles.BASE_CARD));
        Sums.write(aside);
        Durable.flushTree(aside);
        Files.move(aside, kept, StandardCopyOption.ATOMIC_MOVE);
        Durable.flushDirectory(kept.getParent());
    }

    /** Writes it beside the weights of the version. */
    void saveBeside(Path version) throws IOException {
        Optional<Path> directory = directory();
        if (directory.isPresent()) {
            Path target = Files.createDirectory(version.resolve(NAME));
            VersionFiles.copyWeights(directory.get(), target);
            VersionFiles.copyCompanions(directory.get(), target);
            Durable.flushDirectory(target);
        }
    }

    /** Share of pairs whose chosen answer it scores higher; empty without pairs or model. */
    OptionalDouble accuracy(List<TokenizedPair> pairs) {
        Optional<Path> directory = directory();
        if (directory.isEmpty() || pairs.isEmpty()) {
            return OptionalDouble.empty();
        }
        try (LanguageModel model =
                LanguageModel.load(directory.get(), plan.settings().compute())) {
            List<float[]> scores = model.scores(TokenizedPair.texts(pairs));
            double right = 0;
            for (int i = 0; i < pairs.size(); i++) {
                right += scores.get(2 * i)[0] > scores.get(2 * i + 1)[0] ? 1 : 0;
            }
            return OptionalDouble.of(right / pairs.size());
        }
    }
}
