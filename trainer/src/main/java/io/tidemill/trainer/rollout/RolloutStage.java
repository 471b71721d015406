package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.Generation;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.reward.GivenAnswer;
import io.tidemill.trainer.reward.Judgement;
import io.tidemill.trainer.reward.Rewards;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StepBatch;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stage that learns from answers of its own.
 *
 * <pre>  prompts ─ drawn by the weights as they are ─ judged ─ (others in place of useless ones) ─┐
 *     ┌──────────────────────────────────────────────────────────────────────────────────────┘
 *     └ log-probabilities, reference, values ─ kept on disk ─ guard ─ steps of mini-batches  </pre>
 *
 * <p>Prompts come in the order of {@link ExampleOrder}, another one each time all have been asked. What happens is a function
 * of prompts, settings, seed and weights, so an interrupted stage goes on bit for bit: rollouts that saved weights have
 * learned from are read back, others are read back if they are whole and made by these weights, and drawn again if not.
 */
public final class RolloutStage implements Stage<DecoderLearner> {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutStage.class);

    private static final String ASKED = "prompts_asked";

    private final String name;
    private final OptimizerSettings optimizer;
    private final List<RolloutPrompt> prompts;
    private final RolloutSettings settings;
    private final RolloutSampling sampling;
    private final RolloutLearning learning;
    private final RewardGuard guard;
    private final RolloutTools tools;
    private final long seed;

    private final Map<String, RolloutPrompt> byId = new LinkedHashMap<>();
    private final RolloutSource source;
    private final String settingsDigest;
    private Map<String, Double> memory = new TreeMap<>(Map.of(ASKED, 0.0));
    private Current current; // null before the first step

    /** What steps learn from until answers are drawn again. */
    private record Current(Harvest harvest, Lesson lesson, Map<String, Double> figures) {}

    /** @param prompts at least one; ids differ */
    public RolloutStage(
            String name,
            OptimizerSettings optimizer,
            List<RolloutPrompt> prompts,
            RolloutSettings settings,
            RolloutSampling sampling,
            RolloutLearning learning,
            RewardGuard guard,
            RolloutTools tools,
            long seed) {
        this.name = name;
        this.optimizer = optimizer;
        this.prompts = List.copyOf(prompts);
        this.settings = settings;
        this.sampling = sampling;
        this.learning = learning;
        this.guard = guard;
        this.tools = tools;
        this.seed = seed;
        this.source = new RolloutSource(sampling, settings.answers(), seed);
        check();
        this.settingsDigest = settingsDigest();
    }

    private void check() {
        RolloutLearning.Needs needs = learning.needs();
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("Stage " + name + " has no prompt to draw answers to");
        }
        for (RolloutPrompt prompt : prompts) {
            if (byId.put(prompt.promptId(), prompt) != null) {
                throw new IllegalArgumentException("Stage " + name + " has prompt " + prompt.promptId() + " twice");
            }
        }
        if (settings.answers() < needs.answers()) {
            throw new IllegalArgumentException(learning.name() + " compares answers to one prompt and needs at least "
                    + needs.answers() + " to each, but answers is " + settings.answers());
        }
        if (needs.reference() && tools.reference().isEmpty()) {
            throw new IllegalArgumentException(
                    learning.name() + " holds the policy to a reference, but none was given");
        }
        if (needs.ownSampling() && !sampling.fromThePolicyItself()) {
            throw new IllegalArgumentException(learning.name() + " learns from answers drawn from the policy itself:"
                    + " temperature 1, top-p 1, top-k 0, min-p 0 and repetition penalty 1, but they were "
                    + sampling.temperature() + ", " + sampling.topP() + ", " + sampling.topK() + ", " + sampling.minP()
                    + " and " + sampling.repetitionPenalty()
                    + ". Set these, or use online-dpo or rejection-sampling, which take answers from anywhere");
        }
    }

    /** Of all that decides which answers are drawn and how they are judged, but for weights and rewards' own settings. */
    private String settingsDigest() {
        StringBuilder text = new StringBuilder();
        text.append(name)
                .append('\n')
                .append(seed)
                .append('\n')
                .append(settings.prompts())
                .append(' ');
        text.append(settings.answers()).append(' ').append(settings.refills()).append(' ');
        text.append(settings.dropEqual()).append(' ').append(learning.name()).append('\n');
        text.append(sampling.temperature()).append(' ').append(sampling.topP()).append(' ');
        text.append(sampling.topK()).append(' ').append(sampling.minP()).append(' ');
        text.append(sampling.repetitionPenalty())
                .append(' ')
                .append(sampling.maxTokens())
                .append(' ');
        text.append(sampling.atOnce()).append(' ');
        text.append(sampling.stopTokens().stream().sorted().toList()).append('\n');
        text.append(tools.rewards().names())
                .append(tools.heldOut().map(Rewards::names))
                .append('\n');
        for (RolloutPrompt prompt : prompts) {
            text.append(prompt.promptId()).append(' ');
            for (int token : prompt.tokens()) {
                text.append(token).append(',');
            }
            text.append(new TreeMap<>(prompt.rewardData())).append('\n');
        }
        return HexFormat.of().formatHex(RolloutSource.sha256(text.toString().getBytes(StandardCharsets.UTF_8)));
    }

    // ---- what it is -------------------------------------------------------------------------------------------------

    @Override
    public String name() {
        return name;
    }

    @Override
    public OptimizerSettings optimizer() {
        return optimizer;
    }

    @Override
    public long steps() {
        return settings.steps();
    }

    @Override
    public long examples() {
        return prompts.size();
    }

    @Override
    public int longest() {
        int prompt = prompts.stream().mapToInt(one -> one.tokens().length).max().orElse(0);
        return learning.together() * (prompt + sampling.maxTokens());
    }

    /** Nobody knows before how long answers will be. */
    @Override
    public long tokens() {
        return 0;
    }

    // ---- what outlives a step ---------------------------------------------------------------------------------------

    @Override
    public Map<String, Double> memory() {
        return Map.copyOf(memory);
    }

    @Override
    public void restore(Map<String, Double> saved) {
        memory = new TreeMap<>(saved);
        memory.putIfAbsent(ASKED, 0.0);
        current = null;
    }

    /** Rollouts are needed as long as a step that learns from them comes after the saved one. */
    @Override
    public void saved(long step) {
        tools.store().deleteBefore(step < settings.steps() ? settings.drawnBefore(step + 1) : step + 1);
    }

    // ---- steps ------------------------------------------------------------------------------------------------------

    @Override
    public StepBatch<DecoderLearner> batch(long step, DecoderLearner learner) {
        long drawn = settings.drawnBefore(step);
        if (current == null || current.harvest().step() != drawn) {
            current = drawn == step ? draw(step, learner) : goOn(drawn);
        }
        StepBatch<DecoderLearner> batch = current.lesson().batch(miniBatch(current.harvest(), step - drawn));
        Map<String, Double> figures = new TreeMap<>(current.figures());
        figures.put("age", (double) (step - drawn));
        return new WithFigures(batch, figures);
    }

    /** Which rollouts a step learns from: their order is another one in each pass. */
    private List<Integer> miniBatch(Harvest harvest, long position) {
        int pass = Math.toIntExact(position / settings.miniBatches());
        int part = Math.toIntExact(position % settings.miniBatches());
        int n = harvest.rollouts().size();
        List<Integer> ordered = new ExampleOrder(seed + harvest.step() + pass)
                .sort(
                        IntStream.range(0, n).boxed().toList(),
                        r -> harvest.rollouts().get(r).prompt().promptId() + "#"
                                + harvest.rollouts().get(r).epoch());
        return ordered.subList(n * part / settings.miniBatches(), n * (part + 1) / settings.miniBatches());
    }

    private Current goOn(long drawn) {
        Harvest harvest = tools.store().used(drawn, settingsDigest, byId);
        return current(harvest, HarvestFigures.of(harvest), 0);
    }

    private Current draw(long step, DecoderLearner learner) {
        Harvest harvest = harvest(step, learner);
        HarvestFigures figures = HarvestFigures.of(harvest);
        RewardGuard.Look look = guard.look(figures, memory);
        if (!look.alarms().isEmpty()) {
            if (guard.action() == RewardGuard.Action.STOP) {
                throw new RewardHackingException(name, step, look.alarms());
            }
            LOG.warn("stage={} step={} guard={}", name, step, look.alarms());
        }
        Current made = current(harvest, figures, look.alarms().size());

        Map<String, Double> after = new TreeMap<>(learning.after(harvest));
        after.putAll(look.memory());
        after.put(ASKED, memory.get(ASKED) + harvest.asked());
        memory = after;
        return made;
    }

    private Current current(Harvest harvest, HarvestFigures seen, int alarms) {
        Lesson lesson = learning.lesson(harvest);
        Map<String, Double> figures = new TreeMap<>(seen.all());
        figures.putAll(lesson.figures());
        figures.put("refused_by_age", (double) settings.refusedUses(seen.answers()));
        if (guard.action() != RewardGuard.Action.OFF) {
            figures.put("guard_alarms", (double) alarms);
        }
        return new Current(harvest, lesson, figures);
    }

    // ---- drawing ----------------------------------------------------------------------------------------------------

    private Harvest harvest(long step, DecoderLearner learner) {
        Harvest.Origin origin;
        List<Rollout> groups = new ArrayList<>();
        int asked = 0;
        int dropped = 0;
        try (LanguageModel policy = tools.policy().apply(learner)) {
            origin = new Harvest.Origin(settingsDigest, policy.digest());
            Optional<Harvest> kept = tools.store().unused(step, origin, memory, byId);
            if (kept.isPresent()) {
                return kept.get();
            }
            for (int round = 0; round <= settings.refills() && groups.size() < settings.prompts(); round++) {
                List<RolloutSource.Turn> turns = turns(asked, settings.prompts() - groups.size());
                turns.forEach(turn -> checkRoom(turn.prompt(), policy));
                asked += turns.size();
                for (Rollout group : judged(turns, source.answers(policy, turns, step))) {
                    boolean useful = learning.teaches(group) && (!settings.dropEqual() || group.differs());
                    dropped += useful ? 0 : 1;
                    if (useful) {
                        groups.add(group);
                    }
                }
            }
        }
        if (groups.isEmpty()) {
            LOG.warn("stage={} step={} nothing_to_learn_from=all {} prompts", name, step, asked);
        }
        List<Rollout> rollouts = scored(groups, learner);
        Harvest harvest = new Harvest(step, origin, memory, asked, dropped, rollouts);
        tools.store().keep(harvest);
        return harvest;
    }

    private List<RolloutSource.Turn> turns(int askedNow, int count) {
        long from = Math.round(memory.get(ASKED)) + askedNow;
        List<RolloutSource.Turn> turns = new ArrayList<>();
        List<RolloutPrompt> ordered = List.of();
        long orderedFor = -1;
        for (long position = from; position < from + count; position++) {
            long epoch = position / prompts.size();
            if (epoch != orderedFor) {
                ordered = new ExampleOrder(seed + epoch).sort(prompts, RolloutPrompt::promptId);
                orderedFor = epoch;
            }
            turns.add(new RolloutSource.Turn(ordered.get(Math.toIntExact(position % prompts.size())), epoch));
        }
        return turns;
    }

    private void checkRoom(RolloutPrompt prompt, LanguageModel policy) {
        if (prompt.tokens().length >= policy.config().maxPositions()) {
            throw new IllegalArgumentException("Prompt " + prompt.promptId() + " of stage " + name + " has "
                    + prompt.tokens().length + " tokens and leaves no position for an answer in a model of "
                    + policy.config().maxPositions() + ". Leave it out or shorten it");
        }
    }

    /** What the models say of the answers is not known yet. */
    private List<Rollout> judged(List<RolloutSource.Turn> turns, List<List<Generation>> generations) {
        List<GivenAnswer> given = new ArrayList<>();
        for (int i = 0; i < turns.size(); i++) {
            RolloutPrompt prompt = turns.get(i).prompt();
            for (Generation generation : generations.get(i)) {
                given.add(new GivenAnswer(
                        prompt.promptId(),
                        prompt.messages(),
                        prompt.rewardData(),
                        tools.text().apply(generation.tokens()),
                        generation.decided(),
                        generation.reason()));
            }
        }
        List<Judgement> judgements = tools.rewards().judge(given);
        Optional<List<Judgement>> heldOut = tools.heldOut().map(rewards -> rewards.judge(given));

        List<Rollout> groups = new ArrayList<>();
        int at = 0;
        for (int i = 0; i < turns.size(); i++) {
            List<RolledAnswer> answers = new ArrayList<>();
            for (Generation generation : generations.get(i)) {
                int index = at++;
                double[] generated = doubles(generation.decidedLogProbabilities());
                answers.add(new RolledAnswer(
                        generation.decided(),
                        generated,
                        generated,
                        new double[0],
                        new double[0],
                        generation.reason(),
                        judgements.get(index),
                        heldOut.map(all -> OptionalDouble.of(all.get(index).total()))
                                .orElse(OptionalDouble.empty())));
            }
            groups.add(new Rollout(turns.get(i).prompt(), turns.get(i).epoch(), answers));
        }
        return groups;
    }

    private static double[] doubles(float[] floats) {
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }

    /** With what training, the reference and a critic say of them. */
    private List<Rollout> scored(List<Rollout> rollouts, DecoderLearner learner) {
        if (rollouts.isEmpty()) {
            return rollouts;
        }
        AnswerTexts cut = new AnswerTexts(rollouts, Integer.MAX_VALUE);
        List<PromptAnswers> texts = cut.texts();
        double[][][] sampled = learner.logProbabilities(texts);
        Optional<double[][][]> reference = tools.reference().map(model -> model.logProbabilities(texts));
        Optional<double[][][]> values =
                learning.needs().values() ? Optional.of(learner.values(texts)) : Optional.empty();

        List<List<RolledAnswer>> answers = new ArrayList<>();
        rollouts.forEach(rollout -> answers.add(new ArrayList<>()));
        for (int f = 0; f < texts.size(); f++) {
            AnswerTexts.Cut part = cut.cuts().get(f);
            for (int a = part.from(); a < part.to(); a++) {
                RolledAnswer judged = rollouts.get(part.rollout()).answers().get(a);
                int text = f;
                int within = a - part.from();
                answers.get(part.rollout())
                        .add(new RolledAnswer(
                                judged.tokens(),
                                judged.generated(),
                                sampled[f][within],
                                reference.map(all -> all[text][within]).orElse(new double[0]),
                                values.map(all -> all[text][within]).orElse(new double[0]),
                                judged.finish(),
                                judged.judgement(),
                                judged.heldOut()));
            }
        }
        return IntStream.range(0, rollouts.size())
                .mapToObj(r ->
                        new Rollout(rollouts.get(r).prompt(), rollouts.get(r).epoch(), answers.get(r)))
                .toList();
    }

    // ---- figures ----------------------------------------------------------------------------------------------------

    /** A batch whose outcome has the harvest's figures too. */
    private record WithFigures(StepBatch<DecoderLearner> batch, Map<String, Double> figures)
            implements StepBatch<DecoderLearner> {
        @Override
        public Outcome accumulate(DecoderLearner learner, CallSize size) {
            Outcome outcome = batch.accumulate(learner, size);
            Map<String, Double> all = new TreeMap<>(figures);
            all.putAll(outcome.figures());
            return new Outcome(outcome.loss(), all);
        }

        @Override
        public long tokens() {
            return batch.tokens();
        }

        @Override
        public int longest() {
            return batch.longest();
        }

        @Override
        public List<String> exampleIds() {
            return batch.exampleIds();
        }
    }
}
