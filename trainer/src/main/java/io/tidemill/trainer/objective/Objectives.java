package io.tidemill.trainer.objective;

import static io.tidemill.trainer.objective.Parameter.count;
import static io.tidemill.trainer.objective.Parameter.flag;
import static io.tidemill.trainer.objective.Parameter.notNegative;
import static io.tidemill.trainer.objective.Parameter.optionalPositive;
import static io.tidemill.trainer.objective.Parameter.positive;
import static io.tidemill.trainer.objective.Parameter.share;
import static io.tidemill.trainer.objective.Parameter.smoothing;

import io.tidemill.trainer.objective.ObjectiveDescription.Kind;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Makes objectives by name, from settings as text. Defaults are those of TRL 1.13, or of the paper where an objective is
 * not a trainer of its own there; {@link #describe} has them all.
 */
public final class Objectives {
    private static final Parameter BETA = positive("beta", "0.1", "how strongly the reference holds");
    private static final Parameter SMOOTHING =
            smoothing("0", "how likely a preference is taken to be the wrong way round");
    private static final Parameter SUPERVISED = notNegative(
            "supervised-weight", "0", "weight of the chosen answer's own loss, nats per token; 0 leaves it out");

    private record Entry<T>(
            String name, String summary, String source, List<Parameter> parameters, Function<Settings, T> make) {
        ObjectiveDescription describe(Kind kind) {
            return new ObjectiveDescription(
                    name,
                    kind,
                    summary,
                    source,
                    parameters.stream().map(Parameter::describe).toList());
        }
    }

    private static final List<Entry<PairObjective>> PAIRS = List.of(
            new Entry<>(
                    "dpo",
                    "Direct preference optimisation: the margin of log-ratios to the reference grows",
                    "Rafailov et al. (2023), arXiv:2305.18290",
                    List.of(
                            BETA,
                            SMOOTHING,
                            flag(
                                    "length-normalised",
                                    false,
                                    "whether log-ratios are divided by the answers' tokens; take beta 10 to 100 times"
                                            + " larger then"),
                            SUPERVISED),
                    settings -> new Dpo(
                            settings.number("beta"),
                            settings.number("label-smoothing"),
                            settings.flag("length-normalised"),
                            settings.number("supervised-weight"))),
            new Entry<>(
                    "ipo",
                    "Identity preference optimisation: the margin of log-ratios per token is pulled to 1/(2 beta)",
                    "Azar et al. (2023), arXiv:2310.12036",
                    List.of(positive("beta", "0.1", "1/(2 beta) is the margin aimed at"), SUPERVISED),
                    settings -> new Ipo(settings.number("beta"), settings.number("supervised-weight"))),
            new Entry<>(
                    "hinge",
                    "DPO with a hinge: margins above 1/beta cost nothing",
                    "Zhao et al. (2023), arXiv:2305.10425; Liu et al. (2023), arXiv:2309.06657",
                    List.of(BETA, SUPERVISED),
                    settings -> new Hinge(settings.number("beta"), settings.number("supervised-weight"))),
            new Entry<>(
                    "robust",
                    "DPO that is unbiased under preferences of which a known share is the wrong way round",
                    "Ray Chowdhury et al. (2024), arXiv:2403.00409",
                    List.of(
                            BETA,
                            smoothing(
                                    "0.1",
                                    "share of preferences that are the wrong way round; the paper's default, since"
                                            + " TRL's of 0 is plain dpo"),
                            SUPERVISED),
                    settings -> new RobustDpo(
                            settings.number("beta"),
                            settings.number("label-smoothing"),
                            settings.number("supervised-weight"))),
            new Entry<>(
                    "simpo",
                    "Simple preference optimisation: log-probabilities per token, no reference, a margin to reach",
                    "Meng et al. (2024), arXiv:2405.14734",
                    List.of(
                            positive("beta", "2", "scale of rewards per token; the paper's, TRL's 0.1 is CPO's"),
                            notNegative(
                                    "gamma",
                                    "0.5",
                                    "by how much the chosen answer's reward should be above the other's"),
                            SMOOTHING,
                            SUPERVISED),
                    settings -> new SimPo(
                            settings.number("beta"),
                            settings.number("gamma"),
                            settings.number("label-smoothing"),
                            settings.number("supervised-weight"))),
            new Entry<>(
                    "orpo",
                    "Odds ratio preference optimisation: fine-tuning on the chosen answer with a pull on the odds",
                    "Hong et al. (2024), arXiv:2403.07691",
                    List.of(positive("beta", "0.1", "weight of the odds beside the chosen answer's own loss")),
                    settings -> new Orpo(settings.number("beta"))),
            new Entry<>(
                    "cpo",
                    "Contrastive preference optimisation: DPO without a reference beside the chosen answer's own loss",
                    "Xu et al. (2024), arXiv:2401.08417",
                    List.of(
                            new Parameter.Choice(
                                    "loss",
                                    "sigmoid",
                                    "what becomes of the margin; label-smoothing must be 0 with the hinge",
                                    List.of("sigmoid", "hinge")),
                            positive("beta", "0.1", "scale of log-probabilities"),
                            SMOOTHING,
                            notNegative(
                                    "supervised-weight",
                                    "1",
                                    "weight of the chosen answer's own loss, nats per token")),
                    settings -> new Cpo(
                            Cpo.Loss.of(settings.word("loss")),
                            settings.number("beta"),
                            settings.number("label-smoothing"),
                            settings.number("supervised-weight"))),
            new Entry<>(
                    "reward",
                    "A reward model by Bradley and Terry; needs a model with a head of one score",
                    "Ouyang et al. (2022), arXiv:2203.02155; Touvron et al. (2023), arXiv:2307.09288",
                    List.of(
                            notNegative(
                                    "centring",
                                    "0",
                                    "weight of the squared sum of a pair's scores, which pulls their mean to 0; 0.01 is usual")),
                    settings -> new RewardModelling(settings.number("centring"))));

    private static final Parameter DESIRABLE =
            notNegative("desirable-weight", "1", "weight of answers that were liked");
    private static final Parameter UNDESIRABLE =
            notNegative("undesirable-weight", "1", "weight of answers that were not");

    private static final List<Entry<RatingObjective>> RATINGS = List.of(
            new Entry<>(
                    "kto",
                    "Kahneman-Tversky optimisation: gains and losses against the policy's divergence from the reference",
                    "Ethayarajh et al. (2024), arXiv:2402.01306",
                    List.of(BETA, DESIRABLE, UNDESIRABLE),
                    settings -> new Kto(
                            settings.number("beta"),
                            settings.number("desirable-weight"),
                            settings.number("undesirable-weight"))),
            new Entry<>(
                    "apo-zero-unpaired",
                    "Anchored preference optimisation: liked answers likelier, disliked ones less likely than before",
                    "D'Oosterlinck et al. (2024), arXiv:2408.06266",
                    List.of(BETA, DESIRABLE, UNDESIRABLE),
                    settings -> new ApoZeroUnpaired(
                            settings.number("beta"),
                            settings.number("desirable-weight"),
                            settings.number("undesirable-weight"))),
            new Entry<>(
                    "bco",
                    "Binary classifier optimisation: the reward is the logit of a classifier, less its running mean",
                    "Jung et al. (2024), arXiv:2404.04656",
                    List.of(BETA),
                    settings -> new Bco(settings.number("beta"))));

    private static final Parameter RATIO_LIMIT = optionalPositive(
            "ratio-limit", Parameter.NONE, "bound of the ratio whatever the advantage; above 1 + clip-high");
    private static final Parameter CORRECTED = flag(
            "corrected-divergence",
            false,
            "whether the divergence is multiplied by the ratio, as TRL does by default and GRPO's paper does not");
    private static final Parameter MASK_TRUNCATED =
            flag("mask-truncated", false, "whether answers that were cut off are not learned from");

    private static Parameter clipLow(String defaultValue) {
        return share("clip-low", defaultValue, "the ratio counts no lower than 1 less this");
    }

    private static Parameter clipHigh(String defaultValue) {
        return positive("clip-high", defaultValue, "the ratio counts no higher than 1 and this");
    }

    private static Parameter divergence(String defaultValue) {
        return notNegative("beta", defaultValue, "weight of the divergence from the reference in the loss");
    }

    private static Clip clip(Settings settings) {
        return GroupPolicy.clip(
                settings.number("clip-low"), settings.number("clip-high"), settings.optional("ratio-limit"));
    }

    private static DivergencePenalty penalty(Settings settings) {
        return new DivergencePenalty(settings.number("beta"), settings.flag("corrected-divergence"));
    }

    private static Clip plainClip(Settings settings) {
        return GroupPolicy.clip(settings.number("clip-low"), settings.number("clip-high"), OptionalDouble.empty());
    }

    private static final List<Entry<PolicyObjective>> POLICIES = List.of(
            new Entry<>(
                    "ppo",
                    "Proximal policy optimisation with a critic beside the policy's head",
                    "Schulman et al. (2017), arXiv:1707.06347; Ouyang et al. (2022), arXiv:2203.02155",
                    List.of(
                            clipLow("0.2"),
                            clipHigh("0.2"),
                            positive("value-clip", "0.2", "how far a value may move from what it was"),
                            notNegative("value-weight", "0.1", "weight of the critic's loss")),
                    settings -> new Ppo(
                            plainClip(settings), settings.number("value-clip"), settings.number("value-weight"))),
            new Entry<>(
                    "grpo",
                    "Group relative policy optimisation: every answer counts as much",
                    "Shao et al. (2024), arXiv:2402.03300",
                    List.of(clipLow("0.2"), clipHigh("0.2"), RATIO_LIMIT, divergence("0"), CORRECTED, MASK_TRUNCATED),
                    settings -> new Grpo(clip(settings), penalty(settings), settings.flag("mask-truncated"))),
            new Entry<>(
                    "dr-grpo",
                    "GRPO whose losses are divided by a constant instead of an answer's length",
                    "Liu et al. (2025), arXiv:2503.20783",
                    List.of(
                            clipLow("0.2"),
                            clipHigh("0.2"),
                            RATIO_LIMIT,
                            divergence("0"),
                            CORRECTED,
                            MASK_TRUNCATED,
                            count("longest", "256", "the constant: tokens that an answer has at most")),
                    settings -> new DrGrpo(
                            clip(settings),
                            penalty(settings),
                            settings.flag("mask-truncated"),
                            settings.count("longest"))),
            new Entry<>(
                    "dapo",
                    "GRPO where every token counts as much, with a higher upper bound",
                    "Yu et al. (2025), arXiv:2503.14476",
                    List.of(clipLow("0.2"), clipHigh("0.28"), RATIO_LIMIT, divergence("0"), CORRECTED, MASK_TRUNCATED),
                    settings -> new Dapo(clip(settings), penalty(settings), settings.flag("mask-truncated"))),
            new Entry<>(
                    "gspo",
                    "GRPO with one ratio for the whole answer",
                    "Zheng et al. (2025), arXiv:2507.18071",
                    List.of(clipLow("3e-4"), clipHigh("4e-4"), RATIO_LIMIT, divergence("0"), CORRECTED, MASK_TRUNCATED),
                    settings -> new Gspo(clip(settings), penalty(settings), settings.flag("mask-truncated"))),
            new Entry<>(
                    "rloo",
                    "REINFORCE leave-one-out: the whole answer is one action",
                    "Ahmadian et al. (2024), arXiv:2402.14740",
                    List.of(clipLow("0.2"), clipHigh("0.2")),
                    settings -> new Rloo(plainClip(settings))),
            new Entry<>(
                    "reinforce-plus-plus",
                    "REINFORCE with the divergence in the reward and advantages normalised over the batch",
                    "Hu et al. (2025), arXiv:2501.03262",
                    List.of(clipLow("0.2"), clipHigh("0.2")),
                    settings -> new ReinforcePlusPlus(plainClip(settings))));

    private Objectives() {}

    /**
     * An objective over pairs.
     *
     * @param parameters by name; what is missing has its default
     * @throws IllegalArgumentException naming what is not accepted, and what is
     */
    public static PairObjective pair(String name, Map<String, String> parameters) {
        return make(Kind.PAIR, PAIRS, name, parameters);
    }

    /** One over single ratings; otherwise as {@link #pair}. It remembers, so each run has its own. */
    public static RatingObjective rating(String name, Map<String, String> parameters) {
        return make(Kind.RATING, RATINGS, name, parameters);
    }

    /** One over rollouts; otherwise as {@link #pair}. */
    public static PolicyObjective policy(String name, Map<String, String> parameters) {
        return make(Kind.POLICY, POLICIES, name, parameters);
    }

    private static <T> T make(Kind kind, List<Entry<T>> entries, String name, Map<String, String> parameters) {
        Entry<T> entry = entries.stream()
                .filter(known -> known.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(unknown(kind, entries, name)));
        return entry.make().apply(Settings.of(name, entry.parameters(), parameters));
    }

    private static <T> String unknown(Kind kind, List<Entry<T>> entries, String name) {
        String known = String.join(", ", entries.stream().map(Entry::name).toList());
        String other = describe().stream()
                .filter(description -> description.name().equals(name))
                .map(description ->
                        "; " + name + " learns from " + description.kind().examples())
                .findFirst()
                .orElse("");
        return "No objective over " + kind.examples() + " is called " + name + other + ". There are " + known;
    }

    /** All objectives with their parameters and defaults. */
    public static List<ObjectiveDescription> describe() {
        return Stream.of(
                        PAIRS.stream().map(entry -> entry.describe(Kind.PAIR)),
                        RATINGS.stream().map(entry -> entry.describe(Kind.RATING)),
                        POLICIES.stream().map(entry -> entry.describe(Kind.POLICY)))
                .flatMap(all -> all)
                .toList();
    }
}
