package io.tidemill.trainer.round;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.PairExample;
import io.tidemill.trainer.data.RatedExample;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.rollout.RolloutPrompt;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.PairStage;
import io.tidemill.trainer.stage.PreferenceSettings;
import io.tidemill.trainer.stage.RatingSettings;
import io.tidemill.trainer.stage.RatingStage;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.TokenizedAnswer;
import io.tidemill.trainer.stage.TokenizedPair;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The stages of a decoder's round, made from its examples one after the other. */
final class DecoderStages implements RoundContext.Stages<DecoderLearner> {
    /** In this order. */
    static final List<String> NAMES =
            List.of(Stages.PRETRAIN, Stages.SFT, Stages.PREFERENCE, Stages.RATING, Stages.ROLLOUT);

    private final RoundPlan plan;
    private final RoundExamples examples;
    private final List<TokenizedPair> pairs;
    private final List<TokenizedAnswer> ratings;
    private final List<RolloutPrompt> prompts;
    private final RoundRollouts rollouts;
    private final int maxPositions;
    private final References references;

    /**
     * @param examples   as the stages take them: none is left that cannot be learned
     * @param references under the champion
     */
    DecoderStages(
            RoundPlan plan,
            RoundExamples examples,
            List<TokenizedPair> pairs,
            List<TokenizedAnswer> ratings,
            List<RolloutPrompt> prompts,
            RoundRollouts rollouts,
            int maxPositions,
            References references) {
        this.plan = plan;
        this.examples = examples;
        this.pairs = pairs;
        this.ratings = ratings;
        this.prompts = prompts;
        this.rollouts = rollouts;
        this.maxPositions = maxPositions;
        this.references = references;
    }

    @Override
    public Stage<DecoderLearner> stage(String name) throws IOException {
        RoundSettings settings = plan.settings();
        return switch (name) {
            case Stages.PRETRAIN ->
                FixedStage.ofSequences(
                        name, examples.documents(), settings.pretrain(), Packer.Policy.CUT, maxPositions, plan.seed());
            case Stages.SFT ->
                FixedStage.ofSequences(
                        name, examples.sft(), settings.sft(), Packer.Policy.WHOLE, maxPositions, plan.seed());
            case Stages.PREFERENCE -> preference(settings.preference());
            case Stages.RATING -> rating(settings.rating());
            case Stages.ROLLOUT -> rollouts.stage(prompts);
            default -> throw new IllegalArgumentException("There is no stage " + name + ", only " + NAMES);
        };
    }

    private Stage<DecoderLearner> preference(PreferenceSettings settings) throws IOException {
        var objective = settings.newObjective();
        List<PairStage.Reference> given =
                pairs.stream().map(pair -> PairStage.Reference.NONE).toList();
        if (objective.needsReference() && !pairs.isEmpty()) {
            Map<String, PairExample> byId =
                    examples.pairs().stream().collect(Collectors.toMap(PairExample::exampleId, pair -> pair));
            List<References.Asked> asked = new ArrayList<>();
            for (TokenizedPair pair : pairs) {
                PairExample example = byId.get(pair.exampleId());
                asked.add(new References.Asked(
                        pair.promptAnswers(), List.of(example.loggedChosen(), example.loggedRejected())));
            }
            given = references.of(Stages.PREFERENCE, asked).stream()
                    .map(answers -> new PairStage.Reference(answers[0], answers[1]))
                    .toList();
        }
        return PairStage.of(
                Stages.PREFERENCE,
                pairs,
                given,
                objective,
                settings.optimizer(),
                settings.pairs(),
                settings.epochs(),
                plan.seed());
    }

    private Stage<DecoderLearner> rating(RatingSettings settings) throws IOException {
        if (ratings.isEmpty() || !settings.learns()) {
            return new FixedStage<>(Stages.RATING, settings.optimizer(), List.of(), 0);
        }
        var objective = settings.newObjective();
        Map<String, RatedExample> byId =
                examples.ratings().stream().collect(Collectors.toMap(RatedExample::exampleId, rated -> rated));
        List<References.Asked> asked = new ArrayList<>();
        for (TokenizedAnswer answer : ratings) {
            asked.add(new References.Asked(
                    answer.promptAnswers(), List.of(byId.get(answer.exampleId()).logged())));
        }
        List<double[]> own = references.of(Stages.RATING, asked);
        List<PromptAnswers> mismatched =
                objective.needsMismatched() ? RatingStage.mismatched(ratings, maxPositions) : List.of();
        List<double[]> ofOthers = references.of(
                Stages.RATING + "-mismatched",
                mismatched.stream()
                        .map(text -> new References.Asked(text, List.of()))
                        .toList());
        return RatingStage.of(
                Stages.RATING,
                ratings,
                mismatched,
                IntStream.range(0, ratings.size())
                        .mapToObj(i ->
                                new RatingStage.Reference(own.get(i)[0], ofOthers.isEmpty() ? 0 : ofOthers.get(i)[0]))
                        .toList(),
                objective,
                settings.optimizer(),
                settings.answers(),
                settings.epochs(),
                plan.seed());
    }
}
