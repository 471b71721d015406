package io.tidemill.trainer.round;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.reward.Rewards;
import io.tidemill.trainer.rollout.Algorithms;
import io.tidemill.trainer.rollout.Reference;
import io.tidemill.trainer.rollout.RolloutPrompt;
import io.tidemill.trainer.rollout.RolloutSampling;
import io.tidemill.trainer.rollout.RolloutStage;
import io.tidemill.trainer.rollout.RolloutStore;
import io.tidemill.trainer.rollout.RolloutTools;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.Stage;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The rollouts of a round: prompts of the log, the champion as the reference, rewards that are open as long as this is. */
final class RoundRollouts implements AutoCloseable {
    private final RoundPlan plan;
    private final Path work;
    private final Optional<Path> rewardModel;
    private final LanguageModel champion;
    private final Tokenizer tokenizer;
    private final Optional<ChatEncoder> encoder;
    private Rewards rewards; // null before the stage is made
    private Rewards heldOut;

    /**
     * @param work        directory of the round, where rollouts are kept
     * @param rewardModel the round's
     */
    RoundRollouts(
            RoundPlan plan,
            Path work,
            Optional<Path> rewardModel,
            LanguageModel champion,
            Tokenizer tokenizer,
            Optional<ChatEncoder> encoder) {
        this.plan = plan;
        this.work = work;
        this.rewardModel = rewardModel;
        this.champion = champion;
        this.tokenizer = tokenizer;
        this.encoder = encoder;
    }

    /** Tokens of the prompts with room for an answer. */
    static int room(RoundPlan plan, int maxPositions) {
        return Math.max(1, maxPositions - plan.settings().rollout().maxTokens());
    }

    Stage<DecoderLearner> stage(List<RolloutPrompt> prompts) {
        RolloutStageSettings settings = plan.settings().rollout();
        if (!settings.learns() || prompts.isEmpty()) {
            return new FixedStage<>(Stages.ROLLOUT, settings.optimizer(), List.of(), 0);
        }
        close();
        rewards = RolloutStageSettings.open(settings.rewards(), rewardModel);
        if (!settings.heldOutRewards().isEmpty()) {
            heldOut = RolloutStageSettings.open(settings.heldOutRewards(), rewardModel);
        }
        Set<Integer> stopTokens = new HashSet<>(champion.config().eosTokenIds());
        stopTokens.add(tokenizer.endOfText());
        encoder.ifPresent(chat -> stopTokens.add(chat.endOfTurn()));
        int maxTokens = Math.min(settings.maxTokens(), champion.config().maxPositions() - 1);
        return new RolloutStage(
                Stages.ROLLOUT,
                settings.optimizer(),
                prompts,
                settings.of(prompts.size()),
                new RolloutSampling(1, 1, 0, 0, 1, maxTokens, stopTokens, settings.atOnce()),
                Algorithms.of(
                        settings.algorithm(),
                        settings.parameters(),
                        maxTokens,
                        champion.config().maxPositions()),
                settings.guard(),
                new RolloutTools(
                        rewards,
                        Optional.ofNullable(heldOut),
                        Optional.of(Reference.of(champion)),
                        tokenizer::decode,
                        RolloutTools::policyOf,
                        new RolloutStore(work, Stages.ROLLOUT)),
                plan.seed());
    }

    @Override
    public void close() {
        if (rewards != null) {
            rewards.close();
            rewards = null;
        }
        if (heldOut != null) {
            heldOut.close();
            heldOut = null;
        }
    }
}
