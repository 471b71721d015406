#!/usr/bin/env python3
"""Writes what transformers says of the embedded base model, for the tests of model/base.

    java -cp <test class path of model/base> io.tidemill.model.base.HeldOutPrompts /tmp/base /tmp/prompts.json
    python bench/peers/make_base_fixture.py /tmp/base /tmp/prompts.json model/base/src/test/resources/continuations.json

Made with torch 2.13.0 and transformers 5.18.0 on one thread, float32. For each of 50 prompts, 25 beginnings of held-out
documents and 25 of held-out conversations in the model's own chat template: its tokens, 24 greedy ones, the logits behind
the prompt of every 24th token of the vocabulary, and log Z over all. Two likeliest tokens less than 1e-4 apart end a comparison:
`decided` is how many of the 24 come before that.
"""

import hashlib
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOKENS = 24
NEAR_TIE = 1e-4
EVERY = 24


def continuation(network, ids: list) -> dict:
    with torch.no_grad():
        made = network.generate(
            input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
            max_new_tokens=TOKENS, pad_token_id=0, return_dict_in_generate=True, output_logits=True,
        )
    tokens = made.sequences[0, len(ids) :].tolist()
    best = torch.stack(made.logits, 1)[0].topk(2).values  # [24, 2]
    gaps = (best[:, 0] - best[:, 1]).tolist()
    first = made.logits[0][0].double()
    return dict(
        tokens=tokens,
        decided=next((i for i, gap in enumerate(gaps) if gap < NEAR_TIE), TOKENS),
        nearest=min(gaps),
        logits=[round(x, 5) for x in first[::EVERY].tolist()],
        logZ=round(float(torch.logsumexp(first, 0)), 5),
    )


def main() -> None:
    torch.set_num_threads(1)
    directory, prompts, target = map(pathlib.Path, sys.argv[1:])
    network = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    network.generation_config.eos_token_id = None  # what comes after an end is compared as well
    tokenizer = AutoTokenizer.from_pretrained(directory)
    given = json.loads(prompts.read_text())

    fixtures = []
    for text in given["texts"]:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        fixtures.append(dict(text=text, ids=ids, **continuation(network, ids)))
    for chat in given["chats"]:
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        fixtures.append(dict(chat=chat, ids=ids, **continuation(network, ids)))
    digest = hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest()
    whole = dict(sha256=digest, every=EVERY, prompts=fixtures)
    lines = json.dumps(whole, separators=(",", ":"), ensure_ascii=False).replace('},{"text"', '},\n{"text"')
    target.write_text(lines.replace('},{"chat"', '},\n{"chat"') + "\n")
    decided = sum(f["decided"] for f in fixtures)
    nearest = min(f["nearest"] for f in fixtures)
    print(f"{len(fixtures)} prompts, {decided} of {len(fixtures) * TOKENS} tokens decided, nearest {nearest:.2e}")


if __name__ == "__main__":
    main()
