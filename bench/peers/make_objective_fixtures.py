#!/usr/bin/env python3
"""Writes what TRL, or where it has nothing a reference written here, says about objectives, for the trainer's tests.

    python bench/peers/make_objective_fixtures.py trainer/src/test/resources/fixtures/objectives

Made with torch 2.13.0 and TRL 1.13.0 on one thread, in float64 (TRL casts ORPO's log-probabilities and BCO's running mean
to float32). TRL's trainers are made without their constructors and asked for their own losses; the model that they ask
gives logits whose softmax has exactly the log-probabilities that a case drew, so that autograd's gradients are those by
log-probability, which the Java classes fill in by hand.

pairs.json, ratings.json, policies.json: cases with an objective and its parameters as Objectives takes them, log_probabilities
and values [text][answer][token], what is known of the answers, and the loss, the figures and the gradients of all of it.
"""

import json
import math
import pathlib
import sys
from collections import defaultdict
from types import SimpleNamespace

import torch
from torch.nn.functional import one_hot
from trl import DPOTrainer, GRPOTrainer, KTOTrainer, RewardTrainer, RLOOTrainer
from trl.experimental.bco.bco_trainer import BCOTrainer, RunningMoments
from trl.experimental.cpo.cpo_trainer import CPOTrainer
from trl.experimental.orpo.orpo_trainer import ORPOTrainer

VOCABULARY = 5
IGNORED = -100


class Accelerator:
    """One process on a CPU: what is gathered is what was given."""

    device = torch.device("cpu")
    num_processes = 1
    use_distributed = False
    is_main_process = True

    def gather(self, value):
        return value

    gather_for_metrics = gather

    def reduce(self, value, reduction):
        return value


def trainer(of, **attributes):
    """A trainer that was never constructed: just what its loss looks at."""
    made = object.__new__(of)
    made.__dict__.update(
        accelerator=Accelerator(),
        _metrics={"train": defaultdict(list)},
        _total_train_tokens=0,
        _tp_size=1,
        model=SimpleNamespace(training=True),
        aux_loss_enabled=False,
        is_encoder_decoder=False,
        **attributes,
    )
    return made


class Told:
    """A model that says what it is told: logits whose log-softmax at the next token is the given log-probability."""

    training = True

    def __init__(self, *batches):
        self.batches = batches

    def __call__(self, input_ids, **_):
        batch = next(batch for batch in self.batches if torch.equal(batch.ids, input_ids))
        return SimpleNamespace(logits=batch.logits())


class Batch:
    """Prompts of the same length, each with one answer, padded behind."""

    def __init__(self, answers, generator, prompt=2):
        self.answers = answers
        self.prompt = prompt
        self.lengths = [len(answer) for answer in answers]
        width = prompt + max(self.lengths)
        self.ids = torch.randint(1, VOCABULARY, (len(answers), width), generator=generator)
        self.answer_mask = torch.zeros_like(self.ids)
        self.mask = torch.zeros_like(self.ids)
        for row, length in enumerate(self.lengths):
            self.ids[row, prompt + length :] = 0
            self.answer_mask[row, prompt : prompt + length] = 1
            self.mask[row, : prompt + length] = 1
        self.labels = torch.where(self.answer_mask == 1, self.ids, IGNORED)

    def logits(self):
        return torch.stack([self.row(row) for row in range(len(self.answers))])

    def row(self, row):
        logits = list(torch.zeros(self.ids.shape[1], VOCABULARY, dtype=torch.float64))
        for t in range(self.lengths[row]):
            at = self.prompt + t
            said = self.answers[row][t]
            target = one_hot(self.ids[row, at], VOCABULARY).double()
            others = torch.log1p(-torch.exp(said)) - math.log(VOCABULARY - 1)
            logits[at - 1] = target * said + (1 - target) * others
        return torch.stack(logits)


def drawn(lengths, generator, low=-3.0, high=-0.05):
    """Per-token log-probabilities, leaves of the graph."""
    return [
        short(low + (high - low) * torch.rand(length, generator=generator, dtype=torch.float64)).requires_grad_()
        for length in lengths
    ]


def normal(n, generator, scale):
    return short(scale * torch.randn(n, generator=generator, dtype=torch.float64))


def short(values):
    """Drawn numbers need not be long."""
    return torch.round(values, decimals=4)


def plain(value):
    """Numbers of a tensor, or of lists of them, to twelve digits."""
    if isinstance(value, torch.Tensor):
        return plain(value.detach().tolist())
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


def gradients(leaves):
    return [plain(leaf.grad if leaf.grad is not None else torch.zeros_like(leaf)) for leaf in leaves]


def paired(chosen, rejected):
    return [[one, other] for one, other in zip(chosen, rejected)]


# Pairs

PAIR_FIGURES = {
    "rewards/chosen": "rewards_chosen",
    "rewards/rejected": "rewards_rejected",
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "accuracy",
    "logps/chosen": "log_probability_chosen",
    "logps/rejected": "log_probability_rejected",
    "nll_loss": "supervised_loss",
    "log_odds_ratio": "log_odds_ratio",
    "log_odds_chosen": "log_odds_chosen",
    "min_reward": "reward_lowest",
    "mean_reward": "reward_mean",
    "max_reward": "reward_highest",
    "margin": "reward_margin",
    "accuracy": "accuracy",
}


def renamed(metrics, names=PAIR_FIGURES):
    """TRL's figures under Tidemill's names; a list has one entry a call."""
    number = lambda value: value[-1] if isinstance(value, list) else value
    return {names[name]: number(value) for name, value in metrics.items() if name in names}


def dpo(loss_type, beta=0.1, label_smoothing=0.0, loss_weights=None):
    def evaluate(chosen, rejected, references, generator):
        batch = Batch(chosen + rejected, generator)
        made = trainer(
            DPOTrainer,
            ld_alpha=None,
            precompute_ref_logps=True,
            f_divergence_type="reverse_kl",
            loss_types=loss_type,
            loss_weights=loss_weights or [1.0] * len(loss_type),
            beta=beta,
            label_smoothing=label_smoothing,
            use_weighting=False,
        )
        inputs = {
            "input_ids": batch.ids,
            "attention_mask": batch.mask,
            "completion_mask": batch.answer_mask,
            "ref_chosen_logps": references[0],
            "ref_rejected_logps": references[1],
        }
        loss = made._compute_loss(Told(batch), inputs, False)
        return loss, renamed(made._metrics["train"])

    return evaluate


def cdpo(beta, label_smoothing):
    """DPO's sigmoid with label smoothing: TRL 1.13 has it in CPO's loss, given log-ratios instead."""

    def evaluate(chosen, rejected, references, generator):
        made = trainer(CPOTrainer, alpha=0.0, loss_type="sigmoid", beta=beta, label_smoothing=label_smoothing)
        ratios = [torch.stack([one.sum() for one in side]) - ref for side, ref in zip((chosen, rejected), references)]
        losses, rewards_chosen, rewards_rejected = made.cpo_loss(*ratios)
        return losses.mean(), {
            "rewards_chosen": rewards_chosen.mean().item(),
            "rewards_rejected": rewards_rejected.mean().item(),
        }

    return evaluate


def without_reference(of, **settings):
    def evaluate(chosen, rejected, references, generator):
        # One token of prompt: ORPO's own loss of the chosen text takes in its prompt, of which the first token has none.
        batch = Batch(chosen + rejected, generator, prompt=1)
        made = trainer(of, pad_token_id=0, padding_value=0, **settings)
        n = len(chosen)
        inputs = {}
        for side, rows in (("chosen", slice(0, n)), ("rejected", slice(n, None))):
            inputs[f"{side}_input_ids"] = batch.ids[rows]
            inputs[f"{side}_attention_mask"] = batch.mask[rows]
            inputs[f"{side}_labels"] = batch.labels[rows]
        loss, metrics = made.get_batch_loss_metrics(Told(batch), inputs)
        figures = renamed(metrics)
        if not settings.get("cpo_alpha", 1):
            del figures["supervised_loss"]
        return loss, figures

    return evaluate


def cpo(loss_type, beta, cpo_alpha, label_smoothing=0.0, simpo_gamma=0.5):
    return without_reference(
        CPOTrainer,
        loss_type=loss_type,
        beta=beta,
        cpo_alpha=cpo_alpha,
        label_smoothing=label_smoothing,
        simpo_gamma=simpo_gamma,
        alpha=0.0,
    )


MIXED = ([5, 3, 8, 1], [4, 6, 2, 7])
EQUAL = ([5, 5, 5, 5], [4, 6, 2, 7])  # chosen answers of one length: every mean over tokens is the same then

PAIRS = [
    ("dpo", {}, dpo(["sigmoid"]), MIXED),
    ("dpo", {"beta": "0.5", "label-smoothing": "0.2"}, cdpo(0.5, 0.2), MIXED),
    ("dpo", {"beta": "2", "length-normalised": "true"}, dpo(["sigmoid_norm"], beta=2.0), MIXED),
    ("dpo", {"beta": "0.3", "supervised-weight": "0.7"}, dpo(["sigmoid", "sft"], beta=0.3, loss_weights=[1.0, 0.7]), EQUAL),
    ("ipo", {}, dpo(["ipo"]), MIXED),
    ("ipo", {"beta": "0.4", "supervised-weight": "0.5"}, dpo(["ipo", "sft"], beta=0.4, loss_weights=[1.0, 0.5]), EQUAL),
    ("hinge", {"beta": "0.3"}, dpo(["hinge"], beta=0.3), MIXED),
    ("robust", {}, dpo(["robust"], label_smoothing=0.1), MIXED),
    ("robust", {"beta": "0.4", "label-smoothing": "0.3"}, dpo(["robust"], beta=0.4, label_smoothing=0.3), MIXED),
    ("simpo", {}, cpo("simpo", 2.0, 0.0), MIXED),
    (
        "simpo",
        {"beta": "2.5", "gamma": "1.4", "label-smoothing": "0.1", "supervised-weight": "1"},
        cpo("simpo", 2.5, 1.0, label_smoothing=0.1, simpo_gamma=1.4),
        EQUAL,
    ),
    ("cpo", {}, cpo("sigmoid", 0.1, 1.0), EQUAL),
    ("cpo", {"beta": "0.3", "label-smoothing": "0.2", "supervised-weight": "0"}, cpo("sigmoid", 0.3, 0.0, 0.2), MIXED),
    ("cpo", {"loss": "hinge", "beta": "0.2", "supervised-weight": "0.5"}, cpo("hinge", 0.2, 0.5), EQUAL),
    ("orpo", {}, without_reference(ORPOTrainer, beta=0.1), EQUAL),
    ("orpo", {"beta": "0.6"}, without_reference(ORPOTrainer, beta=0.6), EQUAL),
]


def pair_case(objective, parameters, evaluate, lengths, generator, weights=None):
    chosen, rejected = drawn(lengths[0], generator), drawn(lengths[1], generator)
    references = [
        short(torch.stack([answer.detach().sum() for answer in side]) + normal(len(side), generator, 2.0))
        for side in (chosen, rejected)
    ]
    n = len(chosen)
    if weights is None:
        loss, figures = evaluate(chosen, rejected, references, generator)
    else:  # TRL has no weights: each pair is a batch of its own
        losses = [
            evaluate([chosen[i]], [rejected[i]], [side[i : i + 1] for side in references], generator)[0] for i in range(n)
        ]
        loss = sum(weight * one for weight, one in zip(weights, losses)) / sum(weights)
        figures = {}
    loss.backward()
    return {
        "objective": objective,
        "parameters": parameters,
        "log_probabilities": plain(paired(chosen, rejected)),
        "references": plain(torch.stack(references, dim=1)),
        "weights": weights or [1.0] * n,
        "loss": loss.item(),
        "figures": figures,
        "slopes": paired(gradients(chosen), gradients(rejected)),
    }


def reward_case(parameters, coefficient, margins, generator):
    scores = normal(10, generator, 1.5).requires_grad_()  # chosen, then rejected
    made = trainer(RewardTrainer, args=SimpleNamespace(center_rewards_coefficient=coefficient))
    inputs = {"input_ids": torch.zeros(10, 3), "attention_mask": torch.ones(10, 3)}
    if margins is not None:
        inputs["margin"] = torch.tensor(margins, dtype=torch.float64)
    loss = made.compute_loss(lambda **_: SimpleNamespace(logits=scores.unsqueeze(-1)), inputs)
    loss.backward()
    return {
        "objective": "reward",
        "parameters": parameters,
        "scores": [list(pair) for pair in zip(scores[:5].tolist(), scores[5:].tolist())],
        "margins": margins or [0.0] * 5,
        "loss": loss.item(),
        "figures": renamed(made._metrics["train"]),
        "slopes": [list(pair) for pair in zip(scores.grad[:5].tolist(), scores.grad[5:].tolist())],
    }


def pairs():
    generator = torch.Generator().manual_seed(41)
    cases = [pair_case(*case, generator) for case in PAIRS]
    weights = [1.0, 0.25, 3.0, 0.5]
    for objective, parameters, evaluate, _ in PAIRS:
        if objective != "orpo" or not parameters:
            cases.append(pair_case(objective, parameters, evaluate, MIXED, generator, weights))
    rewards = [
        reward_case({}, None, None, generator),
        reward_case({"centring": "0.01"}, 0.01, [0.0, 1.0, 0.333, 2.0, 0.5], generator),
    ]
    return {"pairs": cases, "rewards": rewards}


# Single ratings


RATING_FIGURES = {
    "rewards/chosen": "rewards_chosen",
    "rewards/rejected": "rewards_rejected",
    "rewards/margins": "reward_margin",
    "logps/chosen": "log_probability_chosen",
    "logps/rejected": "log_probability_rejected",
    "delta": "delta",
}


def padded(answers):
    """Log-probabilities as a matrix, zeros behind, and the mask of what is there."""
    width = max(len(answer) for answer in answers)
    rows = [torch.cat([answer, torch.zeros(width - len(answer), dtype=torch.float64)]) for answer in answers]
    mask = torch.zeros(len(answers), width, dtype=torch.float64)
    for row, answer in enumerate(answers):
        mask[row, : len(answer)] = 1
    return torch.stack(rows), mask


def kto_loss(parameters, loss_type, answers, references, liked, divergence, generator):
    beta = float(parameters.get("beta", 0.1))
    weights = float(parameters.get("desirable-weight", 1)), float(parameters.get("undesirable-weight", 1))
    trained = trainer(
        KTOTrainer,
        beta=beta,
        loss_type=loss_type,
        calculate_KL=loss_type == "kto",
        desirable_weight=weights[0],
        undesirable_weight=weights[1],
        precompute_ref_logps=True,
        args=SimpleNamespace(gradient_checkpointing_kwargs=None, use_liger_kernel=False),
    )
    batch = Batch(answers, generator)
    inputs = {
        "input_ids": batch.ids,
        "attention_mask": batch.mask,
        "completion_mask": batch.answer_mask,
        "label": torch.tensor(liked),
        "ref_logps": references,
    }
    kl = torch.tensor(divergence, dtype=torch.float64)
    trained._compute_kl_logps = lambda model, batch: kl.repeat(len(liked))
    inputs["ref_KL_logps"] = torch.zeros(len(liked), dtype=torch.float64)
    loss = trained._compute_loss(Told(batch), inputs, False)
    metrics = {n: v[-1] if isinstance(v, list) else v for n, v in trained._metrics["train"].items()}
    return loss, {RATING_FIGURES[n]: v for n, v in metrics.items() if n in RATING_FIGURES and math.isfinite(v)}


def rated_answers(liked, lengths, generator):
    answers = drawn(lengths[: len(liked)], generator)
    return answers, short(torch.stack([a.detach().sum() for a in answers]) + normal(len(liked), generator, 2.0))


def kto_case(objective, parameters, loss_type, liked, divergence, generator, weights=None):
    answers, references = rated_answers(liked, [4, 2, 7, 1, 5, 3], generator)
    asked = lambda which: kto_loss(
        parameters, loss_type, answers[which], references[which], liked[which], divergence, generator
    )
    if weights is None:
        loss, figures = asked(slice(None))
    else:  # TRL has no weights: each answer is a batch of its own
        losses = [asked(slice(i, i + 1))[0] for i in range(len(liked))]
        loss, figures = sum(weight * one for weight, one in zip(weights, losses)) / sum(weights), {}
    loss.backward()
    return {
        "objective": objective,
        "parameters": parameters,
        "log_probabilities": [[plain(a)] for a in answers],
        "references": plain(references),
        "liked": liked,
        "weights": weights or [1.0] * len(liked),
        "divergence": max(0.0, divergence),
        "loss": loss.item(),
        "figures": figures,
        "slopes": [[g] for g in gradients(answers)],
    }


def bco_cases(generator):
    """Three calls one after the other: what the running mean has seen counts."""
    made = trainer(BCOTrainer, beta=0.3, embedding_func=None, embedding_tokenizer=None, running=RunningMoments(Accelerator()))
    cases = []
    for liked in ([True, False, True, True], [False, False, True], [True]):
        answers, references = rated_answers(liked, [4, 2, 7, 1], generator)
        batch = Batch(answers, generator)
        inputs = {
            "completion_input_ids": batch.ids,
            "completion_attention_mask": batch.mask,
            "completion_labels": batch.labels,
            "label": liked,
            "reference_logps": references,
        }
        loss, metrics = made.get_batch_loss_metrics(Told(batch), inputs)
        loss.backward()
        # What TRL makes of its sums when it logs them.
        for name in ("rewards", "logps"):
            for side in ("chosen", "rejected"):
                if f"count/{side}" in metrics:
                    metrics[f"{name}/{side}"] = metrics[f"{name}/{side}_sum"] / metrics[f"count/{side}"]
        cases.append(
            {
                "objective": "bco",
                "parameters": {"beta": "0.3"},
                "log_probabilities": [[plain(a)] for a in answers],
                "references": plain(references),
                "liked": liked,
                "weights": [1.0] * len(liked),
                "divergence": 0.0,
                "loss": loss.item(),
                "figures": renamed(metrics, RATING_FIGURES),
                "slopes": [[g] for g in gradients(answers)],
            }
        )
    return cases


WEIGHTS = [1.0, 0.25, 3.0, 0.5, 2.0, 0.125]


def ratings():
    generator = torch.Generator().manual_seed(42)
    both = [True, False, True, True, False, True]
    return {
        "alone": [
            kto_case("kto", {}, "kto", both, 1.25, generator),
            kto_case("kto", {}, "kto", both, -3.0, generator),
            kto_case(
                "kto", {"beta": "0.4", "desirable-weight": "1.5", "undesirable-weight": "0.7"}, "kto", both, 0.5, generator
            ),
            kto_case("kto", {}, "kto", [True, True, True], 0.5, generator),
            kto_case("kto", {}, "kto", [False, False], 0.5, generator),
            kto_case("apo-zero-unpaired", {"beta": "0.4"}, "apo_zero_unpaired", both, 0.0, generator),
            kto_case("kto", {"undesirable-weight": "0.7"}, "kto", both, 0.5, generator, WEIGHTS),
            kto_case(
                "apo-zero-unpaired",
                {"desirable-weight": "1.5", "undesirable-weight": "0.7"},
                "apo_zero_unpaired",
                both,
                0.0,
                generator,
                WEIGHTS,
            ),
        ],
        "in_order": bco_cases(generator),
    }


# Policies


POLICY_FIGURES = {
    "kl": "kl",
    "clip_ratio/low_mean": "clip_fraction_low",
    "clip_ratio/high_mean": "clip_fraction_high",
    "clip_ratio/region_mean": "clip_fraction",
}


def rollout(generator, lengths, spread, answer_wise):
    policy = drawn(lengths, generator)
    old = [short(p.detach() + spread * torch.randn(len(p), generator=generator, dtype=torch.float64)) for p in policy]
    reference = [short(p.detach() + 0.3 * torch.randn(len(p), generator=generator, dtype=torch.float64)) for p in policy]
    if answer_wise:
        advantages = [torch.full((len(p),), float(short(torch.randn((), generator=generator))), dtype=torch.float64) for p in policy]
    else:
        advantages = [short(torch.randn(len(p), generator=generator, dtype=torch.float64)) for p in policy]
    return policy, old, reference, advantages


def policy_case(objective, parameters, evaluate, generator, spread=0.3, truncated=(), answer_wise=True):
    lengths = [5, 2, 7, 1, 4, 6]
    policy, old, reference, advantages = rollout(generator, lengths, spread, answer_wise)
    cut = [i in truncated for i in range(len(lengths))]
    loss, figures, extra = evaluate(policy, old, reference, advantages, cut, generator)
    loss.backward()
    case = {
        "objective": objective,
        "parameters": parameters,
        "log_probabilities": [[plain(p)] for p in policy],
        "sampled": plain([list(o) for o in old]),
        "references": plain([list(r) for r in reference]),
        "advantages": plain([list(a) for a in advantages]),
        "truncated": cut,
        "loss": loss.item(),
        "figures": figures,
        "slopes": [[g] for g in gradients(policy)],
    }
    for name, leaves in extra.items():
        case[name] = plain([list(one.detach()) for one in leaves])
        if name == "values":
            case["value_slopes"] = [[g] for g in gradients(leaves)]
    return case


def grpo(loss_type, level="token", beta=0.0, low=0.2, high=0.2, delta=None, longest=256, mask_truncated=False, corrected=False):
    def evaluate(policy, old, reference, advantages, cut, generator):
        matrix, mask = padded(policy)
        if mask_truncated:
            mask = mask * torch.tensor([[0.0 if one else 1.0] for one in cut], dtype=torch.float64)
        zeros = torch.zeros_like(matrix)
        made = trainer(
            GRPOTrainer,
            loss_type=loss_type,
            importance_sampling_level=level,
            beta=beta,
            epsilon_low=low,
            epsilon_high=high,
            max_completion_length=longest,
            top_entropy_quantile=1.0,
            off_policy_mask_threshold=None,
            use_vllm=False,
            vllm_importance_sampling_correction=False,
            current_gradient_accumulation_steps=1,
            _entropy_bonus_enabled=False,
            use_adaptive_entropy=False,
            router_aux_loss_coef=0.0,
            args=SimpleNamespace(delta=delta, use_bias_correction_kl=corrected, steps_per_generation=1),
            _get_per_token_logps_and_entropies=lambda *_, **__: (matrix, zeros, None),
        )
        inputs = {
            "prompt_ids": torch.zeros(len(policy), 1, dtype=torch.long),
            "prompt_mask": torch.ones(len(policy), 1, dtype=torch.long),
            "completion_ids": torch.zeros(matrix.shape, dtype=torch.long),
            "completion_mask": mask,
            "advantages": torch.stack([one[0] for one in advantages]),
            "old_per_token_logps": padded(old)[0],
            "ref_per_token_logps": padded(reference)[0],
            "num_items_in_batch": mask.sum(),
        }
        loss = made._compute_loss(None, inputs)
        figures = renamed(made._metrics["train"], POLICY_FIGURES)
        return loss, figures, {}

    return evaluate


def rloo(low=0.2, high=0.2):
    def evaluate(policy, old, reference, advantages, cut, generator):
        matrix, mask = padded(policy)
        made = trainer(
            RLOOTrainer,
            epsilon_low=low,
            epsilon_high=high,
            router_aux_loss_coef=0.0,
            _get_per_token_logps_and_entropies=lambda *_, **__: (matrix, torch.zeros_like(matrix), None),
        )
        inputs = {
            "prompt_ids": torch.zeros(len(policy), 1, dtype=torch.long),
            "prompt_mask": torch.ones(len(policy), 1, dtype=torch.long),
            "completion_ids": torch.zeros(matrix.shape, dtype=torch.long),
            "completion_mask": mask,
            "advantages": torch.stack([one[0] for one in advantages]),
            "old_logps": torch.stack([one.sum() for one in old]),
        }
        loss = made._compute_loss(None, inputs)
        return loss, renamed(made._metrics["train"], POLICY_FIGURES), {}

    return evaluate


def surrogate(policy, old, advantages, low, high):
    """Schulman et al. (2017), arXiv:1707.06347, equation 7, over all tokens; TRL has no PPO any more."""
    p, o, a = torch.cat(policy), torch.cat(old), torch.cat(advantages)
    ratio = torch.exp(p - o)
    plain_loss, clipped = ratio * a, torch.clamp(ratio, 1 - low, 1 + high) * a
    loss = -torch.minimum(plain_loss, clipped).mean()
    return loss, ((clipped < plain_loss).double().mean()).item(), (torch.exp(o - p) - 1 - (o - p)).mean().item()


def ppo(low=0.2, high=0.2, value_clip=0.2, weight=0.1):
    def evaluate(policy, old, reference, advantages, cut, generator):
        loss, clipped, kl = surrogate(policy, old, advantages, low, high)
        values = [normal(len(p) + 1, generator, 1.0).requires_grad_() for p in policy]
        before = [short(v.detach()[:-1] + normal(len(v) - 1, generator, 0.3)) for v in values]
        returns = [normal(len(v) - 1, generator, 1.0) for v in values]
        v, b, r = torch.cat([one[:-1] for one in values]), torch.cat(before), torch.cat(returns)
        free = (v - r) ** 2
        near = (torch.minimum(torch.maximum(v, b - value_clip), b + value_clip) - r) ** 2
        value_loss = 0.5 * torch.maximum(free, near).mean()
        figures = {
            "clip_fraction": clipped,
            "approximate_kl": kl,
            "policy_loss": loss.item(),
            "value_loss": value_loss.item(),
            "value_clip_fraction": (near > free).double().mean().item(),
            "value": v.mean().item(),
        }
        return loss + weight * value_loss, figures, {"values": values, "old_values": before, "returns": returns}

    return evaluate


def reinforce_plus_plus(low=0.2, high=0.2):
    def evaluate(policy, old, reference, advantages, cut, generator):
        loss, clipped, kl = surrogate(policy, old, advantages, low, high)
        return loss, {"clip_fraction": clipped, "approximate_kl": kl}, {}

    return evaluate


def generalised(rewards, values, truncated, gamma, lam):
    """Schulman et al. (2016), arXiv:1506.02438, equation 16, written out as the double sum."""
    n = len(rewards)
    following = list(values[1:n]) + [values[n] if truncated else 0.0]
    delta = [rewards[t] + gamma * following[t] - values[t] for t in range(n)]
    return [sum((gamma * lam) ** (s - t) * delta[s] for s in range(t, n)) for t in range(n)]


def advantages(generator):
    groups = [normal(4, generator, 1.0), normal(4, generator, 2.0), torch.full((4,), 0.5, dtype=torch.float64)]
    flat = torch.cat(groups)
    centred = [g - g.mean() for g in groups]
    loo = [g - (g.sum() - g) / (len(g) - 1) for g in groups]
    answers = []
    for n, cut in ((5, False), (3, True), (1, False)):
        rewards, values = normal(n, generator, 1.0).tolist(), normal(n + 1, generator, 1.0).tolist()
        gae = generalised(rewards, values, cut, 0.97, 0.9)
        answers.append({"rewards": rewards, "values": values, "truncated": cut, "advantages": gae})
    joined = torch.tensor([a for answer in answers for a in answer["advantages"]], dtype=torch.float64)
    white = ((joined - joined.mean()) * torch.rsqrt(joined.var() + 1e-8)).tolist()
    rewards = [torch.tensor(answer["rewards"], dtype=torch.float64) for answer in answers]
    togo = torch.cat([torch.flip(torch.cumsum(torch.flip(one, [0]), 0), [0]) for one in rewards])
    return {
        "groups": plain([g.tolist() for g in groups]),
        "group": plain([(c / (g.std() + 1e-4)).tolist() for c, g in zip(centred, groups)]),
        "batch": plain([(c / (flat.std() + 1e-4)).tolist() for c in centred]),
        "none": plain([c.tolist() for c in centred]),
        "leave_one_out": plain([one.tolist() for one in loo]),
        "normalised": plain([((one - torch.cat(loo).mean()) / (torch.cat(loo).std() + 1e-4)).tolist() for one in loo]),
        "answers": plain(answers),
        "white": plain(white),
        "global": plain(((togo - togo.mean()) * torch.rsqrt(togo.var() + 1e-8)).tolist()),
    }


def policies():
    generator = torch.Generator().manual_seed(43)
    bounds = {"clip-low": "0.1", "clip-high": "0.3"}
    cases = [
        policy_case("grpo", {}, grpo("grpo"), generator),
        policy_case("grpo", {**bounds, "beta": "0.2"}, grpo("grpo", beta=0.2, low=0.1, high=0.3), generator),
        policy_case("grpo", {"ratio-limit": "1.25"}, grpo("grpo", delta=1.25), generator, spread=0.6),
        policy_case("grpo", {"mask-truncated": "true", "beta": "0.1"}, grpo("grpo", beta=0.1, mask_truncated=True), generator, truncated=(1, 4)),
        policy_case("dr-grpo", {"longest": "16"}, grpo("dr_grpo", longest=16), generator),
        policy_case("dapo", {"beta": "0.05"}, grpo("dapo", beta=0.05, high=0.28), generator),
        policy_case("dapo", {"mask-truncated": "true"}, grpo("dapo", high=0.28, mask_truncated=True), generator, truncated=(0, 2)),
        policy_case("gspo", {"clip-low": "0.05", "clip-high": "0.08", "beta": "0.1"}, grpo("grpo", level="sequence", beta=0.1, low=0.05, high=0.08), generator),
        policy_case("rloo", {}, rloo(), generator, spread=0.15),
        policy_case("reinforce-plus-plus", {}, reinforce_plus_plus(), generator, answer_wise=False),
        policy_case("ppo", {}, ppo(), generator, answer_wise=False),
        policy_case("ppo", {**bounds, "value-clip": "0.1", "value-weight": "0.5"}, ppo(0.1, 0.3, 0.1, 0.5), generator, answer_wise=False),
    ]
    found = advantages(generator)
    corrected = {"corrected-divergence": "true"}
    cases += [
        policy_case("grpo", {"beta": "0.3", **corrected}, grpo("grpo", beta=0.3, corrected=True), generator),
        policy_case("dapo", {"beta": "0.3", "ratio-limit": "1.5", **corrected}, grpo("dapo", beta=0.3, high=0.28, delta=1.5, corrected=True), generator, spread=0.6),
        policy_case("gspo", {"clip-low": "0.05", "clip-high": "0.08", "beta": "0.3", **corrected}, grpo("grpo", level="sequence", beta=0.3, low=0.05, high=0.08, corrected=True), generator),
    ]
    return {"policies": cases, "advantages": found}


def write(path, cases):
    path.write_text(json.dumps(plain(cases), separators=(",", ":")).replace('{"objective"', '\n{"objective"') + "\n")


def main():
    torch.set_num_threads(1)
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    write(out / "pairs.json", pairs())
    write(out / "ratings.json", ratings())
    write(out / "policies.json", policies())


if __name__ == "__main__":
    main()
