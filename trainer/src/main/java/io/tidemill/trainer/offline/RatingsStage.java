package io.tidemill.trainer.offline;

import io.tidemill.model.engine.AnswerCall;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.ObjectiveDescription;
import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.objective.RatedAnswer;
import io.tidemill.trainer.objective.RatingObjective;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Format;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.stage.RatingBatch;
import io.tidemill.trainer.stage.RatingBatch.Rated;
import io.tidemill.trainer.stage.RatingStage;
import io.tidemill.trainer.stage.StepBatch;
import io.tidemill.trainer.stage.TokenizedAnswer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Answers rated one by one, by any objective over such. */
final class RatingsStage extends ObjectiveStage {
    RatingsStage(ObjectiveDescription objective) {
        super(objective);
    }

    @Override
    public List<Format> formats() {
        return List.of(Format.RATING);
    }

    @Override
    public Prepared prepare(Material material) throws IOException {
        RatingObjective objective = make(material.recipe(), Objectives::rating);
        ModelConfig config = DecoderPupil.config(material.recipe(), material.model());
        int length = material.maxLength(config.maxPositions());
        try (Texts texts = new Texts(material.model())) {
            Material.Tokenize<TokenizedAnswer> tokenize =
                    example -> tokenize((Example.Rated) example, texts, material, length);
            List<TokenizedAnswer> training = material.training(tokenize);
            List<TokenizedAnswer> evaluation = material.evaluation(tokenize);
            return () -> open(material, objective, training, evaluation, length);
        }
    }

    private static TokenizedAnswer tokenize(Example.Rated rated, Texts texts, Material material, int length)
            throws Mistake {
        int[] prompt = texts.prompt(rated.prompt());
        int[] answer = fitting(prompt, texts.answer(rated.prompt(), rated.completion()), length, material);
        return new TokenizedAnswer(rated.origin().id(), prompt, answer, rated.liked(), rated.weight());
    }

    /** An answer with what the reference says of it. */
    private record Ready(String id, Rated rated) {}

    private static List<Ready> ready(
            List<TokenizedAnswer> answers, DecoderLearner start, RatingObjective objective, int length) {
        List<PromptAnswers> texts =
                answers.stream().map(TokenizedAnswer::promptAnswers).toList();
        double[][] own = sums(start, texts);
        List<PromptAnswers> mismatched =
                objective.needsMismatched() ? RatingStage.mismatched(answers, length) : List.of();
        double[][] others = sums(start, mismatched);
        List<Ready> ready = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            TokenizedAnswer answer = answers.get(i);
            ready.add(new Ready(
                    answer.exampleId(),
                    new Rated(
                            texts.get(i),
                            new RatedAnswer(answer.desirable(), answer.weight(), own[i][0]),
                            mismatched.isEmpty() ? List.of() : List.of(mismatched.get(i)),
                            mismatched.isEmpty() ? 0 : others[i][0])));
        }
        return ready;
    }

    private Job<DecoderLearner> open(
            Material material,
            RatingObjective objective,
            List<TokenizedAnswer> training,
            List<TokenizedAnswer> evaluation,
            int length)
            throws IOException {
        Recipe recipe = material.recipe();
        DecoderPupil pupil = DecoderPupil.open(material, optimizer(recipe, 1).adamW(), DecoderPupil.Head.SPEECH);
        EpochStage<DecoderLearner, Ready> stage = new EpochStage<>(
                name(),
                ready(training, pupil.learner(), objective, length),
                Ready::id,
                recipe.get(Keys.SEED),
                recipe.get(Keys.EPOCHS),
                recipe.get(Keys.MAX_STEPS),
                (ordered, epoch) -> StepBatch.groups(ordered, ofStep(recipe)).stream()
                        .<StepBatch<DecoderLearner>>map(group -> new RatingBatch(
                                group.stream().map(Ready::id).toList(),
                                group.stream().map(Ready::rated).toList(),
                                objective))
                        .toList(),
                steps -> optimizer(recipe, steps));
        stage.remembering(objective::memory, objective::restore);
        return new RatingJob(stage, pupil, objective, ready(evaluation, pupil.learner(), objective, length));
    }

    /** Learns from ratings and is judged by others: how it ranks what was liked, and how far it went. */
    private static final class RatingJob extends DecoderJob {
        private final RatingObjective objective;
        private final List<Ready> evaluation;

        RatingJob(
                EpochStage<DecoderLearner, ?> stage,
                DecoderPupil pupil,
                RatingObjective objective,
                List<Ready> evaluation) {
            super(stage, pupil);
            this.objective = objective;
            this.evaluation = evaluation;
        }

        @Override
        public List<String> figures() {
            return evaluation.isEmpty()
                    ? List.of()
                    : List.of("loss", "accuracy", "log_ratio_liked", "log_ratio_disliked");
        }

        @Override
        public Evaluation evaluate() {
            List<PromptAnswers> texts =
                    evaluation.stream().map(one -> one.rated.text()).toList();
            double[][][] said = learner().logProbabilities(texts);
            double weight = evaluation.stream()
                    .mapToDouble(one -> one.rated.answer().weight())
                    .sum();
            Figures figures = new Figures();
            Map<String, Double> memory = objective.memory(); // judging is not learning
            double loss = objective.evaluate(
                    new AnswerCall(said, nothing(said)),
                    evaluation.stream().map(one -> one.rated.answer()).toList(),
                    divergence(),
                    weight,
                    figures);
            objective.restore(memory);
            Map<String, Double> all = new LinkedHashMap<>();
            all.put("loss", loss);
            all.putAll(ranking(said));
            figures.means().forEach(all::putIfAbsent);
            return new Evaluation(all, "");
        }

        /** Mean log-ratio to the reference of mismatched answers, not below 0, as in training. */
        private double divergence() {
            List<Rated> with = evaluation.stream()
                    .map(Ready::rated)
                    .filter(one -> !one.mismatched().isEmpty())
                    .toList();
            if (with.isEmpty()) {
                return 0;
            }
            double[][] now = sums(
                    learner(), with.stream().map(one -> one.mismatched().get(0)).toList());
            double sum = 0;
            for (int i = 0; i < with.size(); i++) {
                sum += now[i][0] - with.get(i).mismatchedReference();
            }
            return Math.max(0, sum / with.size());
        }

        /**
         * Of all couples of a liked and a disliked answer the share in which the former gained more on the reference (ties
         * count half), and the mean gain of both, in nats.
         */
        private Map<String, Double> ranking(double[][][] said) {
            List<Double> liked = new ArrayList<>();
            List<Double> disliked = new ArrayList<>();
            for (int i = 0; i < evaluation.size(); i++) {
                RatedAnswer answer = evaluation.get(i).rated.answer();
                double gain = java.util.stream.DoubleStream.of(said[i][0]).sum() - answer.reference();
                (answer.desirable() ? liked : disliked).add(gain);
            }
            double right = 0;
            for (double one : liked) {
                for (double other : disliked) {
                    right += one > other ? 1 : one == other ? 0.5 : 0;
                }
            }
            Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("accuracy", right / ((double) liked.size() * disliked.size()));
            figures.put("log_ratio_liked", mean(liked));
            figures.put("log_ratio_disliked", mean(disliked));
            return figures;
        }

        private static double mean(List<Double> values) {
            return values.stream().mapToDouble(x -> x).average().orElse(Double.NaN);
        }
    }
}
