#!/usr/bin/env python3
"""Writes what transformers' logits processors leave of a distribution, and what it generates with a repetition penalty.

    python bench/peers/make_sampling_fixtures.py model/engine/src/test/resources/fixtures

Made with torch 2.13.0 and transformers 5.18.0. `sampling/expected.json`: logits of 300 tokens, which of them were seen,
settings, and the probability of every token that is left; and greedy answers of the model in `tied` to prompts of
different lengths.
"""

import json
import pathlib
import sys

import torch
from transformers import (
    AutoModelForCausalLM,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

SETTINGS = [  # temperature, top_k, top_p, min_p, penalty
    (1.0, 0, 1.0, 0.0, 1.0),
    (0.7, 0, 1.0, 0.0, 1.0),
    (1.0, 5, 1.0, 0.0, 1.0),
    (1.0, 0, 0.8, 0.0, 1.0),
    (1.3, 20, 0.9, 0.0, 1.0),
    (1.0, 0, 1.0, 0.1, 1.0),
    (0.9, 50, 0.95, 0.05, 1.0),
    (1.0, 0, 1.0, 0.0, 1.4),
    (0.8, 10, 0.7, 0.2, 0.8),
    (3.0, 0, 0.99, 0.0, 1.0),  # keeps more than a few tokens
    (4.0, 200, 1.0, 0.0, 1.2),
]


def processors(temperature, top_k, top_p, min_p, penalty):
    """In the order in which generate() applies them."""
    if penalty != 1.0:
        yield RepetitionPenaltyLogitsProcessor(penalty)
    if temperature != 1.0:
        yield TemperatureLogitsWarper(temperature)
    if top_k > 0:
        yield TopKLogitsWarper(top_k)
    if top_p < 1.0:
        yield TopPLogitsWarper(top_p)
    if min_p > 0.0:
        yield MinPLogitsWarper(min_p)


def main(fixtures: pathlib.Path) -> None:
    torch.manual_seed(5)
    logits = 2.5 * torch.randn(300)
    seen = torch.randperm(300)[:40].sort().values
    cases = []
    for settings in SETTINGS:
        z = logits.unsqueeze(0).clone()
        for processor in processors(*settings):
            z = processor(seen.unsqueeze(0), z)
        p = torch.softmax(z.double(), -1)[0]
        kept = torch.nonzero(p > 0).squeeze(1)
        cases.append({"settings": settings, "kept": kept.tolist(), "probabilities": p[kept].tolist()})

    model = AutoModelForCausalLM.from_pretrained(fixtures / "tied", dtype=torch.float32)
    answers = []
    for prompt in ([5, 17, 40, 8], [9], [60, 61, 62, 63, 64, 65, 66, 67, 68, 11, 12], [3, 3, 3]):
        for penalty in (1.0, 1.5):
            made = model.generate(
                torch.tensor([prompt]),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                max_new_tokens=24,
                do_sample=False,
                repetition_penalty=penalty,
                eos_token_id=None,
                pad_token_id=0,
            )
            answers.append({"prompt": prompt, "penalty": penalty, "tokens": made[0, len(prompt):].tolist()})

    target = fixtures / "sampling"
    target.mkdir(exist_ok=True)
    expected = {"logits": logits.tolist(), "seen": seen.tolist(), "cases": cases, "answers": answers}
    (target / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
