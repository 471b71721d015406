#!/usr/bin/env python3
"""Writes what PEFT says about adapters on the tiny models of make_family_fixtures.py, for the engine's tests.

    PYTHONHASHSEED=0 python bench/peers/make_lora_fixtures.py model/engine/src/test/resources/fixtures

Made with torch 2.13.0, transformers 5.18.0 and PEFT 0.21.0 on one thread, from the models in that directory. Per
adapter, in lora/NAME: adapter_config.json and adapter_model.safetensors as PEFT's save_pretrained writes them, both
matrices random; expected.json as make_engine_fixtures.py describes it, of base and adapter together, gradients of the
adapter alone; and adamw.losses, 50 steps of torch.optim.AdamW on the adapter: loss and gradient norm before clipping.
"""

import json
import pathlib
import sys

import torch
from make_engine_fixtures import describe, mean_loss
from make_family_fixtures import batch, rounded
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

# The base model, and the adapter's settings. Together they have every family, one and several modules of a matrix that
# Tidemill keeps as one, ranks and alphas that differ between modules, and both kinds of scale.
ADAPTERS = {
    "llama": ("llama-biases", dict(r=4, lora_alpha=8, target_modules="all-linear")),
    "llama-rslora-qv": ("llama-linear", dict(r=3, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "v_proj"])),
    "mistral": ("mistral", dict(r=2, lora_alpha=3, target_modules=["o_proj", "up_proj", "k_proj", "layers.1.mlp.down_proj"])),
    "qwen2-rslora": ("qwen2", dict(r=5, lora_alpha=4, use_rslora=True, target_modules="all-linear")),
    "qwen3": ("qwen3", dict(
        r=4, lora_alpha=8, target_modules="all-linear", exclude_modules=["o_proj"],
        rank_pattern={"q_proj": 2, "^model.layers.1.mlp.(up|gate)_proj": 6}, alpha_pattern={"layers.0.mlp.up_proj": 3},
    )),
    "qwen3-rslora-part": ("qwen3", dict(
        r=3, lora_alpha=5, use_rslora=True, target_modules=["k_proj", "v_proj", "gate_proj", "down_proj"],
    )),
    "gpt2": ("gpt2", dict(r=4, lora_alpha=8, target_modules="all-linear")),
    "gpt2-rslora-part": ("gpt2", dict(r=3, lora_alpha=6, use_rslora=True, target_modules=["attn.c_attn", "mlp.c_proj"])),
}


def adapted(fixtures: pathlib.Path, base: str, settings: dict):
    network = AutoModelForCausalLM.from_pretrained(fixtures / base, dtype=torch.float32)
    torch.manual_seed(len(str(settings)))
    network = get_peft_model(network, LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False, **settings))
    with torch.no_grad():  # large enough to matter next to the base's weights, whose deviation is 0.2
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.copy_(0.1 * torch.randn_like(parameter))
    network.peft_config["default"].base_model_name_or_path = base
    return network.eval()


def plain(name: str) -> str:
    """The name of a parameter in the file."""
    return name.replace(".default.", ".")


def described(network) -> dict:
    learned = {name: 10 for name, parameter in network.named_parameters() if parameter.requires_grad}
    expected = describe(network, learned)
    for part in (expected, expected["preference"]):
        part["gradients"]["probes"] = {plain(name): values for name, values in part["gradients"]["probes"].items()}
    del expected["training"]  # fifty steps follow
    return expected


def curve(network) -> list:
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=2e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    lines = []
    for step in range(50):
        optimizer.zero_grad()
        loss = mean_loss(network, *batch(step))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        lines.append(f"{float(loss):.7f} {float(norm):.6f}")
    return lines


def main() -> None:
    torch.set_num_threads(1)
    fixtures = pathlib.Path(sys.argv[1])
    for name, (base, settings) in ADAPTERS.items():
        directory = fixtures / "lora" / name
        network = adapted(fixtures, base, settings)
        network.save_pretrained(directory)
        (directory / "README.md").unlink()  # a model card of blanks
        parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
        expected = {"base": base, "parameters": parameters, **described(network)}
        (directory / "expected.json").write_text(json.dumps(rounded(expected), separators=(",", ":")) + "\n")
        (directory / "adamw.losses").write_text("\n".join(curve(adapted(fixtures, base, settings))) + "\n")


if __name__ == "__main__":
    main()
