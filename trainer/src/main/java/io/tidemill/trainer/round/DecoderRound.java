package io.tidemill.trainer.round;

import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.data.PairExample;
import io.tidemill.trainer.data.PromptExample;
import io.tidemill.trainer.data.RatedExample;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.gate.AskedModel;
import io.tidemill.trainer.gate.Gate;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.gate.LossSuite;
import io.tidemill.trainer.gate.OperatorSuites;
import io.tidemill.trainer.gate.PreferenceGapSuite;
import io.tidemill.trainer.gate.PreferenceSuite;
import io.tidemill.trainer.gate.Scoring;
import io.tidemill.trainer.gate.Suite;
import io.tidemill.trainer.gate.Window;
import io.tidemill.trainer.rollout.RolloutPrompt;
import io.tidemill.trainer.stage.TokenizedAnswer;
import io.tidemill.trainer.stage.TokenizedPair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A round of a decoder: pretraining, fine-tuning, preferences, ratings and rollouts. */
final class DecoderRound implements ModelRound<LanguageModel, Scoring> {
    private static final Logger LOG = LoggerFactory.getLogger(DecoderRound.class);

    /** Tokens of a held-out text that the model is asked to go on with. */
    private static final int BEGINNING = 16;

    private final RoundContext context;
    private final RoundPlan plan;
    private final Tokenizer tokenizer;
    private final LanguageModel champion;
    private final RoundRewardModel rewardModel;
    private final Optional<ChatEncoder> chat;

    private final RoundExamples examples;
    private final List<TokenizedPair> pairs;
    private final List<TokenizedAnswer> ratings;
    private final List<RolloutPrompt> prompts;
    private final List<TokenizedPair> heldOutPairs;
    private final HeldOut heldOut;

    private final Later<LanguageModel> masters;
    private Trainee<LanguageModel, ?> trainee; // null before the stages
    private OperatorSuites operator; // null before the suites

    /** @param read the slice's examples as the log has them */
    DecoderRound(RoundContext context, RoundExamples read, Tokenizer tokenizer, LanguageModel champion)
            throws IOException {
        this.context = context;
        this.plan = context.plan();
        this.tokenizer = tokenizer;
        this.champion = champion;
        this.rewardModel =
                new RoundRewardModel(plan, context.parent(), context.work().path());
        this.chat = chat(context.parent(), tokenizer);
        this.masters = context.masters(champion, this::load);

        Map<String, String> asides = new HashMap<>(); // example id → what became of it instead
        this.pairs = tokenize(
                read.pairs(), PairExample::exampleId, TokenizedPair::of, TokenizedPair::length, positions(), asides);
        this.ratings = tokenize(
                read.ratings(),
                RatedExample::exampleId,
                TokenizedAnswer::of,
                TokenizedAnswer::length,
                positions(),
                asides);
        this.prompts = tokenize(
                read.prompts(),
                PromptExample::exampleId,
                (prompt, by) -> RolloutPrompt.of(prompt.exampleId(), prompt.prompt(), prompt.rewardData(), by),
                prompt -> prompt.tokens().length,
                RoundRollouts.room(plan, positions()),
                asides);
        this.examples = read.without(asides);

        this.heldOut = HeldOut.read(context.parent().resolve(CheckpointStore.STATE))
                .with(
                        read.heldOutSequences().stream()
                                .flatMap(sequence -> HeldOut.windows(sequence, windowLength()))
                                .toList(),
                        read.heldOutPreferences(),
                        plan.settings().gate().limits());
        this.heldOutPairs = tokenize(
                heldOut.pairs().stream().map(PairExample::of).toList(),
                PairExample::exampleId,
                TokenizedPair::of,
                TokenizedPair::length,
                positions(),
                new HashMap<>());
    }

    /** A model without a chat template learns from text alone. */
    private static Optional<ChatEncoder> chat(Path directory, Tokenizer tokenizer) {
        try {
            return Optional.of(new ChatEncoder(tokenizer, ChatTemplate.load(directory)));
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("Preferences are left out, for the model has no usable chat template: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private <E, T> List<T> tokenize(
            List<E> some,
            Function<E, String> id,
            BiFunction<E, ChatEncoder, T> tokens,
            ToIntFunction<T> length,
            int longest,
            Map<String, String> asides) {
        List<T> tokenized = new ArrayList<>();
        for (E example : some) {
            if (chat.isEmpty()) {
                asides.put(id.apply(example), Stages.WITHOUT_OBJECTIVE);
                continue;
            }
            try {
                T one = tokens.apply(example, chat.get());
                if (length.applyAsInt(one) <= longest) {
                    tokenized.add(one);
                } else {
                    asides.put(id.apply(example), Stages.TOO_LONG);
                }
            } catch (RuntimeException e) { // templates are programs: what they throw has no common type
                LOG.warn("Preference {} is left out: {}", id.apply(example), e.getMessage());
                asides.put(id.apply(example), Stages.UNREADABLE);
            }
        }
        return tokenized;
    }

    private int positions() {
        return champion.maxPositions();
    }

    /** Predicted tokens of a held-out window; one more token goes before them. */
    private int windowLength() {
        int window = plan.settings().gate().window();
        int asked = window == 0 ? plan.settings().pretrain().length() : window;
        return Math.max(1, Math.min(asked, positions() - 1));
    }

    @Override
    public LanguageModel champion() {
        return champion;
    }

    @Override
    public RoundExamples examples() {
        return examples;
    }

    @Override
    public LanguageModel load(Path version) {
        return LanguageModel.load(version, plan.settings().compute());
    }

    // ---- training ---------------------------------------------------------------------------------------------------

    @Override
    public LanguageModel train() throws IOException {
        if (context.saved(DecoderStages.NAMES).isEmpty()) {
            rewardModel.train(
                    pairs,
                    champion,
                    (stage, learner) ->
                            context.run(stage, context.arithmetic().learner().apply(learner)));
        }
        var learning = plan.settings()
                .adapter()
                .lora()
                .map(adapter -> Trainee.adapter(
                        masters.get(),
                        adapter.withBaseModel(plan.parent()),
                        plan.seed(),
                        plan.settings().mixture().anchor()))
                .orElseGet(() -> Trainee.whole(
                        masters.get(),
                        plan.settings().compute(),
                        plan.settings().mixture().anchor()));
        trainee = learning;
        try (RoundRollouts rollouts =
                new RoundRollouts(plan, context.work().path(), rewardModel.directory(), champion, tokenizer, chat)) {
            context.learn(
                    DecoderStages.NAMES,
                    new DecoderStages(plan, examples, pairs, ratings, prompts, rollouts, positions(), references()),
                    learning,
                    name -> name.equals(Stages.ROLLOUT)
                            && plan.settings().rollout().needsCritic(),
                    context.arithmetic().learner());
        }
        return learning.end();
    }

    private References references() {
        int atOnce = context.microBatch().referenceTokens();
        return new References(
                context.work(),
                plan.parent(),
                plan.settings().loggedReferences(),
                texts -> answers(texts, atOnce),
                () -> {
                    context.control().check();
                    context.reporter().preparing("reference", "log-probabilities under " + plan.parent());
                },
                context.metrics());
    }

    private List<double[]> answers(List<PromptAnswers> texts, int atOnce) {
        try {
            return Stream.of(context.arithmetic().answers().logProbabilities(champion, texts, atOnce))
                    .map(text -> Stream.of(text)
                            .mapToDouble(answer -> DoubleStream.of(answer).sum())
                            .toArray())
                    .toList();
        } catch (NativeMemoryException e) {
            int longest = texts.stream().mapToInt(PromptAnswers::longest).max().orElse(0);
            throw new MicroBatchException(MicroBatch.Part.REFERENCE, longest, "The reference: " + e.getMessage(), e);
        }
    }

    // ---- judging ----------------------------------------------------------------------------------------------------

    @Override
    public List<Suite<Scoring>> suites() throws IOException {
        RoundSettings.GateSettings gate = plan.settings().gate();
        List<Suite<Scoring>> suites = new ArrayList<>();
        suites.add(
                new LossSuite(GateCheck.HELD_OUT_LOSS, heldOut.windows(), gate.heldOutMargin(), gate.minimumWindows()));
        List<Window> old = OldData.windows(
                context.store().manifest(plan.parentId()).base(),
                gate.oldData(),
                tokenizer,
                windowLength(),
                gate.maximumOldDataWindows());
        if (!old.isEmpty()) {
            suites.add(new LossSuite(GateCheck.OLD_DATA_LOSS, old, gate.oldDataMargin(), gate.minimumWindows()));
        }
        PreferenceSuite preferences = new PreferenceSuite(
                GateCheck.PREFERENCE_ACCURACY,
                heldOutPairs,
                gate.preferenceMargin(heldOutPairs.size()),
                gate.minimumPairs());
        suites.add(preferences);
        suites.add(new PreferenceGapSuite(preferences, gate.gapMargin()));
        operator = context.operatorSuites();
        AskedModel asked = new AskedModel(tokenizer, chat, positions());
        suites.addAll(operator.probeSuites(asked));
        suites.addAll(operator.driftSuites(asked, prompts(), plan.parent(), scoring(plan.parent(), champion)));
        return suites;
    }

    /** To be answered where the operator names none: those of held-out pairs, and beginnings of held-out texts. */
    private List<int[]> prompts() {
        return Stream.concat(
                        heldOutPairs.stream().map(TokenizedPair::prompt),
                        heldOut.windows().stream()
                                .map(Window::ids)
                                .filter(ids -> ids.length > BEGINNING)
                                .map(ids -> Arrays.copyOf(ids, BEGINNING)))
                .toList();
    }

    @Override
    public Gate.Policy policy() {
        return context.policy(operator);
    }

    @Override
    public Scoring scoring(String version, LanguageModel model) {
        return new DecoderScorer(context, version, model, stopTokens());
    }

    private Set<Integer> stopTokens() {
        Set<Integer> stopTokens = new HashSet<>(champion.config().eosTokenIds());
        stopTokens.add(tokenizer.endOfText());
        chat.ifPresent(encoder -> stopTokens.add(encoder.endOfTurn()));
        return stopTokens;
    }

    @Override
    public Map<String, Double> figures() {
        Map<String, Double> figures = new HashMap<>();
        rewardModel.accuracy(heldOutPairs).ifPresent(accuracy -> figures.put("reward_model_accuracy", accuracy));
        return figures;
    }

    @Override
    public HeldOut heldOut() {
        return heldOut;
    }

    @Override
    public void saveBeside(Path version) throws IOException {
        trainee.saveBeside(version);
        rewardModel.saveBeside(version);
    }

    @Override
    public void close() {
        if (trainee != null) {
            trainee.close();
        }
        masters.close();
    }
}
