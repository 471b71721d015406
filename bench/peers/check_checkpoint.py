#!/usr/bin/env python3
"""Loads what Tidemill wrote in transformers, adapters in PEFT, and compares its logits with ours.

    python bench/peers/check_checkpoint.py DIRECTORY...

A DIRECTORY is a Hugging Face directory, or a PEFT directory whose base_model_name_or_path is one (a path, absolute or
beside it), with probe.json: {"ids": [...], "logits": [...]}, the token ids of one short sequence and our float32 logits
at its last position, or of its labels. Prints the largest difference of each; exit status 1 if one is above 1e-3 or anything does not load.
"""

import json
import math
import pathlib
import sys

import torch
import transformers
from transformers import AutoTokenizer

ALLOWED = 1e-3


def network(directory: pathlib.Path):
    """The model, and what did not load."""
    if (directory / "adapter_config.json").exists():
        from peft import PeftModel  # only adapters need it
        from safetensors import safe_open

        config = json.loads((directory / "adapter_config.json").read_text())
        base, problems = network(directory.parent / config["base_model_name_or_path"])
        model = PeftModel.from_pretrained(base, directory)
        loaded = {name.replace(".default.", ".") for name in model.state_dict() if ".lora_" in name}
        with safe_open(directory / "adapter_model.safetensors", "pt") as file:
            different = loaded ^ set(file.keys())
        return model, problems + ([f"adapter's tensors: {sorted(different)}"] if different else [])
    architecture = json.loads((directory / "config.json").read_text())["architectures"][0]
    model, report = getattr(transformers, architecture).from_pretrained(
        directory, local_files_only=True, dtype=torch.float32, output_loading_info=True
    )
    return model, [f"{kind}: {names}" for kind, names in report.items() if names]


def check(directory: pathlib.Path) -> bool:
    probe = json.loads((directory / "probe.json").read_text())
    ids, ours = probe["ids"], torch.tensor(probe["logits"], dtype=torch.float32)
    model, problems = network(directory)
    model.eval()
    with torch.no_grad():
        theirs = model(input_ids=torch.tensor([ids])).logits[0].float()
    theirs = theirs[-1] if theirs.dim() == 2 else theirs
    if theirs.shape != ours.shape:
        problems.append(f"{theirs.numel()} logits there, {ours.numel()} in the probe")
        largest = math.inf
    else:
        largest = float((theirs - ours).abs().max())
    if not largest <= ALLOWED:
        problems.append(f"logits: the largest difference {largest:.3g} is above {ALLOWED}")

    text = ""
    if (directory / "tokenizer.json").exists():
        tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
        text = f" {len(tokenizer):,} tokens, probe {tokenizer.decode(ids)!r},"
        if len(tokenizer) > model.config.vocab_size:
            problems.append(f"tokenizer: {len(tokenizer)} tokens, but the model has {model.config.vocab_size}")
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{directory}: {type(model).__name__}, {parameters:,} parameters,{text} largest difference of logits {largest:.3g}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return not problems


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    results = [check(pathlib.Path(argument)) for argument in sys.argv[1:]]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
