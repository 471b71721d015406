package io.tidemill.trainer.offline;

import io.tidemill.model.engine.AnswerCall;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.JudgedPair;
import io.tidemill.trainer.objective.ObjectiveDescription;
import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.objective.PairObjective;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Format;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.stage.PairBatch;
import io.tidemill.trainer.stage.StepBatch;
import io.tidemill.trainer.stage.TokenizedPair;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Preferences between two answers, by any objective over pairs; a reward model is one of them. */
final class PairsStage extends ObjectiveStage {
    PairsStage(ObjectiveDescription objective) {
        super(objective);
    }

    @Override
    public List<Format> formats() {
        return List.of(Format.PREFERENCE);
    }

    @Override
    public Prepared prepare(Material material) throws IOException {
        PairObjective objective = make(material.recipe(), Objectives::pair);
        ModelConfig config = DecoderPupil.config(material.recipe(), material.model());
        int length = material.maxLength(config.maxPositions());
        try (Texts texts = new Texts(material.model())) {
            Material.Tokenize<TokenizedPair> tokenize =
                    example -> tokenize((Example.Pair) example, texts, material, length);
            List<TokenizedPair> training = material.training(tokenize);
            List<TokenizedPair> evaluation = material.evaluation(tokenize);
            return () -> open(material, objective, training, evaluation);
        }
    }

    private static TokenizedPair tokenize(Example.Pair pair, Texts texts, Material material, int length)
            throws Mistake {
        int[] prompt = texts.prompt(pair.prompt());
        int[] chosen = fitting(prompt, texts.answer(pair.prompt(), pair.chosen()), length, material);
        int[] rejected = fitting(prompt, texts.answer(pair.prompt(), pair.rejected()), length, material);
        if (java.util.Arrays.equals(chosen, rejected)) {
            throw new Mistake(
                    "equal-answers",
                    "'chosen' and 'rejected' are equal as tokens, or up to max_length; leave the pair out, or raise"
                            + " max_length");
        }
        return new TokenizedPair(pair.origin().id(), prompt, chosen, rejected, pair.weight(), pair.margin());
    }

    /** A pair with what the reference says of it. */
    private record Ready(TokenizedPair pair, JudgedPair judged) {
        static List<Ready> of(List<TokenizedPair> pairs, DecoderLearner start, boolean needsReference) {
            double[][] references = needsReference
                    ? sums(
                            start,
                            pairs.stream().map(TokenizedPair::promptAnswers).toList())
                    : new double[pairs.size()][2];
            List<Ready> ready = new ArrayList<>();
            for (int i = 0; i < pairs.size(); i++) {
                TokenizedPair pair = pairs.get(i);
                ready.add(new Ready(
                        pair, new JudgedPair(pair.weight(), references[i][0], references[i][1], pair.margin())));
            }
            return ready;
        }
    }

    private Job<DecoderLearner> open(
            Material material, PairObjective objective, List<TokenizedPair> training, List<TokenizedPair> evaluation)
            throws IOException {
        Recipe recipe = material.recipe();
        // The optimizer's settings do not depend on the number of steps, and the reference is asked before these are
        // known.
        DecoderPupil pupil = DecoderPupil.open(
                material,
                optimizer(recipe, 1).adamW(),
                objective.learnsScores() ? DecoderPupil.Head.SCORE : DecoderPupil.Head.SPEECH);
        List<Ready> ready = Ready.of(training, pupil.learner(), objective.needsReference());
        EpochStage<DecoderLearner, Ready> stage = new EpochStage<>(
                name(),
                ready,
                one -> one.pair.exampleId(),
                recipe.get(Keys.SEED),
                recipe.get(Keys.EPOCHS),
                recipe.get(Keys.MAX_STEPS),
                (ordered, epoch) -> StepBatch.groups(ordered, ofStep(recipe)).stream()
                        .<StepBatch<DecoderLearner>>map(group -> new PairBatch(
                                group.stream().map(one -> one.pair.exampleId()).toList(),
                                group.stream()
                                        .map(one -> one.pair.promptAnswers())
                                        .toList(),
                                group.stream().map(Ready::judged).toList(),
                                objective))
                        .toList(),
                steps -> optimizer(recipe, steps));
        return new PairJob(stage, pupil, objective, Ready.of(evaluation, pupil.learner(), objective.needsReference()));
    }

    /** Learns from pairs and is judged by others: the objective's own loss and figures. */
    private static final class PairJob extends DecoderJob {
        private final PairObjective objective;
        private final List<Ready> evaluation;

        PairJob(
                EpochStage<DecoderLearner, ?> stage,
                DecoderPupil pupil,
                PairObjective objective,
                List<Ready> evaluation) {
            super(stage, pupil);
            this.objective = objective;
            this.evaluation = evaluation;
        }

        @Override
        public List<String> figures() {
            return evaluation.isEmpty() ? List.of() : List.of("loss", "accuracy", "reward_margin");
        }

        @Override
        public Evaluation evaluate() {
            List<PromptAnswers> texts =
                    evaluation.stream().map(one -> one.pair.promptAnswers()).toList();
            double[][][] said = objective.learnsScores()
                    ? learner().values(texts)
                    : learner().logProbabilities(texts);
            AnswerCall call = objective.learnsScores()
                    ? new AnswerCall(nothing(said), said)
                    : new AnswerCall(said, nothing(said));
            double weight =
                    evaluation.stream().mapToDouble(one -> one.judged.weight()).sum();
            Figures figures = new Figures();
            double loss = objective.evaluate(
                    call, evaluation.stream().map(Ready::judged).toList(), weight, figures);
            Map<String, Double> all = new LinkedHashMap<>();
            all.put("loss", loss);
            all.putAll(figures.means());
            return new Evaluation(all, "");
        }
    }
}
