package io.tidemill.trainer.offline;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.Generation;
import io.tidemill.model.engine.Generator;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.Sampling;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Format;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.reward.GivenAnswer;
import io.tidemill.trainer.reward.Judgement;
import io.tidemill.trainer.reward.Rewards;
import io.tidemill.trainer.rollout.Algorithms;
import io.tidemill.trainer.rollout.Reference;
import io.tidemill.trainer.rollout.RewardGuard;
import io.tidemill.trainer.rollout.RolloutLearning;
import io.tidemill.trainer.rollout.RolloutPrompt;
import io.tidemill.trainer.rollout.RolloutSampling;
import io.tidemill.trainer.rollout.RolloutSettings;
import io.tidemill.trainer.rollout.RolloutStage;
import io.tidemill.trainer.rollout.RolloutStore;
import io.tidemill.trainer.rollout.RolloutTools;
import io.tidemill.trainer.stage.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Stages that learn from answers of the model's own, judged by rewards. */
final class RolloutsStage implements OfflineStage {
    private static final int AT_ONCE = 16;
    private static final String HELD_OUT = "held_out_reward";

    private final String name;
    private final String summary;
    private final int answers;

    /** @param answers to each prompt where the recipe does not say */
    private RolloutsStage(String name, String summary, int answers) {
        this.name = name;
        this.summary = summary;
        this.answers = answers;
    }

    /** One for each algorithm that there is. */
    static List<OfflineStage> all() {
        List<OfflineStage> all = new ArrayList<>();
        for (String name : Algorithms.names()) {
            all.add(
                    switch (name) {
                        case Algorithms.ONLINE_DPO ->
                            new RolloutsStage(
                                    name,
                                    "Online preferences: the best and the worst of the model's own answers are a pair.",
                                    2);
                        case Algorithms.REJECTION_SAMPLING ->
                            new RolloutsStage(
                                    name,
                                    "Rejection sampling: the best of the model's own answers is learned, if good enough.",
                                    4);
                        default ->
                            new RolloutsStage(
                                    name,
                                    Objectives.describe().stream()
                                            .filter(one -> one.name().equals(name))
                                            .map(one -> one.summary() + ".")
                                            .findFirst()
                                            .orElseThrow(),
                                    name.equals("ppo") || name.equals("reinforce-plus-plus") ? 1 : 4);
                    });
        }
        return all;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String summary() {
        return summary;
    }

    @Override
    public List<Format> formats() {
        return List.of(Format.PROMPT);
    }

    @Override
    public Set<Key<?>> special() {
        return Set.of(Keys.OBJECTIVE_PARAMETERS, Keys.REWARDS, Keys.HELD_OUT_REWARDS, Keys.ROLLOUT);
    }

    @Override
    public double learningRate() {
        return name.equals(Algorithms.REJECTION_SAMPLING) ? 2e-5 : 1e-6;
    }

    /** What the recipe says of rollouts. */
    private record Plan(
            RolloutLearning learning,
            RolloutSettings settings,
            RolloutSampling sampling,
            RewardGuard guard,
            int length) {}

    @Override
    public Prepared prepare(Material material) throws IOException {
        Recipe recipe = material.recipe();
        ModelConfig config = DecoderPupil.config(recipe, material.model());
        try (Texts texts = new Texts(material.model())) {
            Arguments rollout = new Arguments("rollout", name, recipe.get(Keys.ROLLOUT));
            int answerTokens = rollout.whole("max_completion_length", 64);
            int length = material.maxLength(config.maxPositions());
            Material.Tokenize<RolloutPrompt> tokenize =
                    example -> tokenize((Example.Asked) example, texts, length - answerTokens);
            List<RolloutPrompt> training = material.training(tokenize);
            List<RolloutPrompt> evaluation = material.evaluation(tokenize);
            Set<Integer> stops = stops(config, texts);
            Plan plan = plan(recipe, rollout, training.size(), answerTokens, length, stops);
            heldOut(recipe).ifPresent(Rewards::close); // refused now, if at all
            try (Rewards checked = rewards(recipe)) {
                return () -> open(material, plan, training, evaluation, stops, checked.names());
            }
        }
    }

    private static RolloutPrompt tokenize(Example.Asked asked, Texts texts, int room) throws Mistake {
        int[] tokens = texts.prompt(asked.prompt());
        if (tokens.length > room) {
            throw new Mistake(
                    "too-long",
                    "its prompt has " + tokens.length + " tokens, and only " + room
                            + " leave room for an answer of max_completion_length; shorten it, or raise max_length");
        }
        return new RolloutPrompt(asked.origin().id(), asked.prompt().messages(), asked.data(), tokens);
    }

    private Plan plan(Recipe recipe, Arguments rollout, int prompts, int answerTokens, int length, Set<Integer> stops) {
        int asked = Math.min(prompts, ObjectiveStage.ofStep(recipe));
        int miniBatches = rollout.whole("mini_batches", 1);
        int passes = rollout.whole("num_iterations", 1);
        int age = rollout.whole("max_age", miniBatches * passes - 1);
        try {
            int perHarvest = Math.min(miniBatches * passes, age + 1);
            long maxSteps = recipe.get(Keys.MAX_STEPS);
            long all = (long) Math.ceil(recipe.get(Keys.EPOCHS) * prompts / asked) * perHarvest;
            RolloutSettings settings = new RolloutSettings(
                    asked,
                    rollout.whole("num_generations", answers),
                    miniBatches,
                    passes,
                    age,
                    rollout.whole("refills", 0),
                    Boolean.parseBoolean(rollout.text("drop_equal").orElse("false")),
                    maxSteps > 0 ? maxSteps : all);
            RolloutSampling sampling = new RolloutSampling(
                    rollout.number("temperature").orElse(1.0),
                    rollout.number("top_p").orElse(1.0),
                    rollout.whole("top_k", 0),
                    rollout.number("min_p").orElse(0.0),
                    rollout.number("repetition_penalty").orElse(1.0),
                    answerTokens,
                    stops,
                    AT_ONCE);
            RewardGuard guard = RewardGuard.USUAL.with(RewardGuard.Action.valueOf(
                    rollout.text("guard").orElse("stop").toUpperCase(Locale.ROOT)));
            Map<String, String> parameters = new LinkedHashMap<>();
            recipe.get(Keys.OBJECTIVE_PARAMETERS).forEach((key, value) -> parameters.put(key.replace('_', '-'), value));
            RolloutLearning learning = Algorithms.of(name, parameters, answerTokens, length);
            rollout.checkAllUsed();
            return new Plan(learning, settings, sampling, guard, length);
        } catch (IllegalArgumentException e) {
            throw new RecipeException("rollout or objective: " + e.getMessage());
        }
    }

    private static Set<Integer> stops(ModelConfig config, Texts texts) {
        Set<Integer> stops = new HashSet<>(config.eosTokenIds());
        stops.add(texts.tokenizer().endOfText());
        texts.endOfTurn().ifPresent(stops::add);
        return stops;
    }

    private static Rewards rewards(Recipe recipe) {
        if (recipe.get(Keys.REWARDS).isEmpty()) {
            throw new RecipeException(
                    "The recipe needs rewards, as in rewards: [{kind: length, …}]; docs/rewards.md has them.");
        }
        return rewards(recipe, Keys.REWARDS);
    }

    /** What the guard compares the rewards with. */
    private static Optional<Rewards> heldOut(Recipe recipe) {
        return recipe.get(Keys.HELD_OUT_REWARDS).isEmpty()
                ? Optional.empty()
                : Optional.of(rewards(recipe, Keys.HELD_OUT_REWARDS));
    }

    private static Rewards rewards(Recipe recipe, Key<List<Map<String, String>>> key) {
        try {
            return Rewards.of(recipe.get(key));
        } catch (IllegalArgumentException e) {
            throw new RecipeException(key + ": " + e.getMessage());
        }
    }

    private Job<DecoderLearner> open(
            Material material,
            Plan plan,
            List<RolloutPrompt> training,
            List<RolloutPrompt> evaluation,
            Set<Integer> stops,
            List<String> parts)
            throws IOException {
        Recipe recipe = material.recipe();
        RolloutLearning.Needs needs = plan.learning.needs();
        DecoderPupil pupil = DecoderPupil.open(
                material,
                Optimizers.of(recipe, learningRate(), plan.settings.steps()).adamW(),
                needs.values() ? DecoderPupil.Head.SPEECH_AND_VALUE : DecoderPupil.Head.SPEECH);
        List<AutoCloseable> owned = new ArrayList<>();
        Texts texts = new Texts(material.model());
        owned.add(texts);
        Rewards rewards = rewards(recipe);
        owned.add(rewards);
        Optional<Rewards> heldOut = heldOut(recipe);
        heldOut.ifPresent(owned::add);
        Path kept = Files.createDirectories(material.work().resolve("rollouts"));
        RolloutTools tools = new RolloutTools(
                rewards,
                heldOut,
                needs.reference() ? Optional.of(reference(material, pupil.learner(), owned)) : Optional.empty(),
                tokens -> texts.tokenizer().decode(tokens),
                RolloutTools::policyOf,
                new RolloutStore(kept, name));
        RolloutStage stage = new RolloutStage(
                name,
                Optimizers.of(recipe, learningRate(), plan.settings.steps()),
                training,
                plan.settings,
                plan.sampling,
                plan.learning,
                plan.guard,
                tools,
                recipe.get(Keys.SEED));
        return new RolloutJob(stage, pupil, plan, training.size(), evaluation, tools, stops, parts, owned);
    }

    /** With an adapter its base, else the start once more. */
    private static Reference reference(Material material, DecoderLearner learner, List<AutoCloseable> owned) {
        if (learner instanceof TrainableAdapter adapter) {
            return Reference.of(adapter.base());
        }
        LanguageModel start = LanguageModel.load(material.model(), material.compute());
        owned.add(start);
        return Reference.of(start);
    }

    /** Learns from its own answers and is judged by what greedy ones to other prompts are worth. */
    private static final class RolloutJob extends DecoderJob {
        private final Plan plan;
        private final int prompts;
        private final List<RolloutPrompt> evaluation;
        private final RolloutTools tools;
        private final Set<Integer> stops;
        private final List<String> parts;
        private final List<AutoCloseable> owned;

        RolloutJob(
                Stage<DecoderLearner> stage,
                DecoderPupil pupil,
                Plan plan,
                int prompts,
                List<RolloutPrompt> evaluation,
                RolloutTools tools,
                Set<Integer> stops,
                List<String> parts,
                List<AutoCloseable> owned) {
            super(stage, pupil);
            this.plan = plan;
            this.prompts = prompts;
            this.evaluation = evaluation;
            this.tools = tools;
            this.stops = stops;
            this.parts = parts;
            this.owned = owned;
        }

        @Override
        public double epochs(long step) {
            return (double) step / plan.settings.stepsOfHarvest() * plan.settings.prompts() / prompts;
        }

        @Override
        public boolean endsEpoch(long step) {
            return Math.floor(epochs(step)) > Math.floor(epochs(step - 1));
        }

        @Override
        public List<String> figures() {
            if (evaluation.isEmpty()) {
                return List.of();
            }
            List<String> figures = new ArrayList<>(List.of("reward", "answer_tokens", "truncated"));
            tools.heldOut().ifPresent(some -> figures.add(HELD_OUT));
            return figures;
        }

        @Override
        public Evaluation evaluate() {
            List<GivenAnswer> given = new ArrayList<>();
            try (LanguageModel policy = tools.policy().apply(learner())) {
                List<Generation> made = new Generator(policy)
                        .generate(
                                evaluation.stream().map(RolloutPrompt::tokens).toList(),
                                Sampling.greedy(plan.sampling.maxTokens(), stops),
                                AT_ONCE);
                for (int i = 0; i < made.size(); i++) {
                    RolloutPrompt prompt = evaluation.get(i);
                    Generation answer = made.get(i);
                    given.add(new GivenAnswer(
                            prompt.promptId(),
                            prompt.messages(),
                            prompt.rewardData(),
                            tools.text().apply(answer.tokens()),
                            answer.decided(),
                            answer.reason()));
                }
            }
            List<Judgement> judged = tools.rewards().judge(given);
            Map<String, Double> figures = new LinkedHashMap<>();
            figures.put(
                    "reward",
                    judged.stream().mapToDouble(Judgement::total).average().orElseThrow());
            for (String part : parts) {
                judged.stream()
                        .filter(one -> one.parts().containsKey(part))
                        .mapToDouble(one -> one.parts().get(part))
                        .average()
                        .ifPresent(mean -> figures.put("reward_" + part, mean));
            }
            tools.heldOut()
                    .ifPresent(some -> figures.put(
                            HELD_OUT,
                            some.judge(given).stream()
                                    .mapToDouble(Judgement::total)
                                    .average()
                                    .orElseThrow()));
            figures.put(
                    "answer_tokens",
                    given.stream()
                            .mapToInt(one -> one.tokens().length)
                            .average()
                            .orElseThrow());
            figures.put(
                    "truncated", given.stream().filter(GivenAnswer::truncated).count() / (double) given.size());
            return new Evaluation(figures, "");
        }

        @Override
        public void close() {
            super.close();
            for (AutoCloseable one : owned) {
                try {
                    one.close();
                } catch (Exception e) {
                    throw new IllegalStateException("Could not close " + one, e);
                }
            }
        }
    }
}
