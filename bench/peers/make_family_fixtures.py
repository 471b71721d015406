#!/usr/bin/env python3
"""Writes what transformers and torch say about one tiny model of each decoder family, for the engine's tests.

    python bench/peers/make_family_fixtures.py model/engine/src/test/resources/fixtures

Made with torch 2.13.0 and transformers 5.18.0 on one thread. Per model: config.json and model.safetensors as
save_pretrained writes them; expected.json as make_engine_fixtures.py describes it, floats to eight digits; and
adamw.losses, 50 steps of torch.optim.AdamW: loss and gradient norm before clipping, one step a line.
"""

import json
import pathlib
import sys

import torch
import transformers
from make_engine_fixtures import IGNORED, describe, mean_loss

VOCABULARY = 61
SHAPE = dict(
    vocab_size=VOCABULARY, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, initializer_range=0.2, bos_token_id=1,
    eos_token_id=2, pad_token_id=None,
)


def rope(kind: str, **settings) -> dict:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 100.0, **settings}}


LLAMA3 = rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=64)
YARN_SET = rope("yarn", factor=2.5, original_max_position_embeddings=32, beta_fast=8.0, beta_slow=0.5, mscale=1.2,
                mscale_all_dim=0.7, truncate=False)
MODELS = {
    "llama-biases": ("Llama", dict(head_dim=6, attention_bias=True, mlp_bias=True, **LLAMA3)),
    "llama-linear": ("Llama", dict(head_dim=16, tie_word_embeddings=True, **rope("linear", factor=4.0))),
    "llama-yarn": ("Llama", dict(head_dim=16, **{**YARN, "max_position_embeddings": 256})),
    "mistral": ("Mistral", dict(head_dim=8, sliding_window=6)),
    "qwen2": ("Qwen2", dict(use_sliding_window=True, sliding_window=7, max_window_layers=1, **rope("dynamic", factor=2.0))),
    "qwen3": ("Qwen3", dict(head_dim=10, tie_word_embeddings=True, **YARN_SET)),
    "qwen3-biases": ("Qwen3", dict(head_dim=8, attention_bias=True, use_sliding_window=True, sliding_window=5,
                                   layer_types=["sliding_attention", "sliding_attention"])),
}


def network_of(family: str, settings: dict):
    torch.manual_seed(len(str(settings)))
    config = getattr(transformers, family + "Config")(**{**SHAPE, **settings})
    network = getattr(transformers, family + "ForCausalLM")(config).float()
    return shaken(network)


def gpt2():
    torch.manual_seed(2)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=24, n_layer=2, n_head=4, n_positions=64, initializer_range=0.2, bos_token_id=1,
        eos_token_id=2, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )
    return shaken(transformers.GPT2LMHeadModel(config).float())


def shaken(network):
    """Norms that are not 1 and biases that are not 0, so that a forgotten one shows."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return network.eval()


def batch(step: int):
    """Four rows of 24 ids that the Java test computes again."""
    ids = torch.tensor([[3 + (5 * t + 7 * row + 11 * step + t * t * (row + 1)) % 58 for t in range(24)] for row in range(4)])
    return ids, torch.cat([ids[:, 1:], torch.full((4, 1), IGNORED)], 1)


def curve(network) -> list:
    matrices = [p for p in network.parameters() if p.dim() > 1]
    vectors = [p for p in network.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        lr=2e-3, betas=(0.9, 0.95), eps=1e-8,
    )
    lines = []
    for step in range(50):
        optimizer.zero_grad()
        loss = mean_loss(network, *batch(step))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        lines.append(f"{float(loss):.7f} {float(norm):.6f}")
    return lines


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    torch.set_num_threads(1)
    networks = {name: (lambda f=family, s=settings: network_of(f, s)) for name, (family, settings) in MODELS.items()}
    networks["gpt2"] = gpt2
    for name, make in networks.items():
        directory = pathlib.Path(sys.argv[1]) / name
        make().save_pretrained(directory)
        probed = {n: 10 for n, _ in make().named_parameters()}
        expected = {"parameters": make().num_parameters(), **describe(make(), probed)}
        (directory / "expected.json").write_text(json.dumps(rounded(expected), separators=(",", ":")) + "\n")
        (directory / "adamw.losses").write_text("\n".join(curve(make())) + "\n")
        (directory / "generation_config.json").unlink()


if __name__ == "__main__":
    main()
