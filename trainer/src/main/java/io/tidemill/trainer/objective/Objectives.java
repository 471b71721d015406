package io.tidemill.trainer.objective;

import static io.tidemill.trainer.objective.Parameter.flag;
import static io.tidemill.trainer.objective.Parameter.notNegative;
import static io.tidemill.trainer.objective.Parameter.positive;
import static io.tidemill.trainer.objective.Parameter.smoothing;

import io.tidemill.trainer.objective.ObjectiveDescription.Kind;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

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
        return PAIRS.stream().map(entry -> entry.describe(Kind.PAIR)).toList();
    }

    /** One that learns from single ratings. */
    public static RatingObjective rating(String name, Map<String, String> parameters) {
        throw new IllegalArgumentException("There is no objective for single ratings yet, but " + name + parameters
                + " was asked for; set it to none");
    }
}
