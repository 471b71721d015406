#!/usr/bin/env python3
"""Loads a published checkpoint in transformers and compares its logits with ours.

    python bench/peers/check_checkpoint.py DIRECTORY

DIRECTORY is a Hugging Face directory with probe.json: {"ids": [...], "logits": [...]}, the token ids of one short
sequence and our float32 logits at its last position. Prints the largest difference; exit status 1 if it is above 1e-3
or if anything does not load.
"""

import json
import math
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ALLOWED = 1e-3


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    directory = pathlib.Path(sys.argv[1])
    probe = json.loads((directory / "probe.json").read_text())
    ids, ours = probe["ids"], torch.tensor(probe["logits"], dtype=torch.float32)

    tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
    model, report = AutoModelForCausalLM.from_pretrained(
        directory, local_files_only=True, dtype=torch.float32, output_loading_info=True
    )
    problems = [f"{kind}: {names}" for kind, names in report.items() if names]
    with torch.no_grad():
        theirs = model(input_ids=torch.tensor([ids])).logits[0, -1].float()
    if theirs.shape != ours.shape:
        problems.append(f"vocabulary: {theirs.numel()} logits in transformers, {ours.numel()} in the probe")
        largest = math.inf
    else:
        largest = float((theirs - ours).abs().max())
    if len(tokenizer) > model.config.vocab_size:
        problems.append(f"tokenizer: {len(tokenizer)} tokens, but the model has {model.config.vocab_size}")
    if not largest <= ALLOWED:
        problems.append(f"logits: the largest difference {largest:.3g} is above {ALLOWED}")

    print(f"{directory}: {model.num_parameters():,} parameters, {len(tokenizer):,} tokens,"
          f" probe {tokenizer.decode(ids)!r}, largest difference of logits {largest:.3g}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
