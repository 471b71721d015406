#!/usr/bin/env python3
"""Writes what transformers and torch say about two tiny Llama models, for the engine's tests.

    python bench/peers/make_engine_fixtures.py model/engine/src/test/resources/fixtures

Made with torch 2.13.0 and transformers 5.18.0 on one thread. Per model: config.json and model.safetensors as
save_pretrained writes them, and expected.json.
"""

import json
import pathlib
import sys

import torch
from transformers import LlamaConfig, LlamaForCausalLM

IGNORED = -100
PROBED = {
    "model.embed_tokens.weight": 40,
    "model.layers.0.self_attn.q_proj.weight": 40,
    "model.layers.0.self_attn.k_proj.weight": 40,
    "model.layers.1.self_attn.v_proj.weight": 40,
    "model.layers.1.self_attn.o_proj.weight": 40,
    "model.layers.0.mlp.gate_proj.weight": 40,
    "model.layers.0.mlp.up_proj.weight": 40,
    "model.layers.1.mlp.down_proj.weight": 40,
    "model.layers.1.input_layernorm.weight": 32,
    "model.layers.0.post_attention_layernorm.weight": 32,
    "model.norm.weight": 32,
}


def model(tied: bool, heads: int, kv: int) -> LlamaForCausalLM:
    torch.manual_seed(20 + kv)
    config = LlamaConfig(
        vocab_size=97,
        hidden_size=32,
        intermediate_size=56,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=kv,
        head_dim=32 // heads if tied else 16,
        max_position_embeddings=64,
        rope_theta=10000.0 if tied else 500000.0,
        rms_norm_eps=1e-5,
        tie_word_embeddings=tied,
        initializer_range=0.2,
        bos_token_id=1,
        eos_token_id=[2, 3] if tied else 2,
    )
    network = LlamaForCausalLM(config).float()
    with torch.no_grad():  # norms that are not 1, so that a forgotten one shows
        for name, parameter in network.named_parameters():
            if "norm" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return network


def mean_loss(network, ids, targets):
    logits = network(input_ids=ids).logits.float()
    return torch.nn.functional.cross_entropy(
        logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=IGNORED
    )


def answer_log_probability(network, prompt, answer):
    ids = torch.tensor([prompt + answer])
    log_p = torch.log_softmax(network(input_ids=ids).logits.float(), -1)[0]
    return sum(log_p[len(prompt) + i - 1, token] for i, token in enumerate(answer))


def gradients(network, probed):
    named = dict(network.named_parameters())
    squares = sum(float(p.grad.double().pow(2).sum()) for p in network.parameters() if p.requires_grad)
    probes = {n: named[n].grad.flatten()[:k].tolist() for n, k in probed.items()}
    return {"norm": squares**0.5, "probes": probes}


def describe(network, probed: dict) -> dict:
    """probed: of which gradients how many elements are told."""
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(4, network.config.vocab_size, (3, 17), generator=generator)
    targets = torch.cat([ids[:, 1:], torch.full((3, 1), IGNORED)], 1)
    targets[1, :5] = IGNORED  # as a prompt would be
    expected = {"ids": ids.tolist(), "targets": targets.tolist()}

    expected["logits"] = network(input_ids=ids[:1]).logits[0].tolist()
    loss = mean_loss(network, ids, targets)
    loss.backward()
    expected["loss"] = float(loss)
    expected["gradients"] = gradients(network, probed)
    network.zero_grad()

    pairs = [
        dict(prompt=[5, 9, 13, 40], chosen=[8, 11, 60, 2], rejected=[7, 2], referenceChosen=-17.5,
             referenceRejected=-9.25, weight=1.0),
        dict(prompt=[21, 22], chosen=[33, 2], rejected=[34, 35, 36, 37, 2], referenceChosen=-8.0,
             referenceRejected=-22.0, weight=0.5),
    ]
    beta, supervised, total = 0.3, 0.2, 2.0
    loss = 0.0
    margins, rewards = [], []
    for pair in pairs:
        chosen = answer_log_probability(network, pair["prompt"], pair["chosen"])
        rejected = answer_log_probability(network, pair["prompt"], pair["rejected"])
        gains = (chosen - pair["referenceChosen"], rejected - pair["referenceRejected"])
        margin = gains[0] - gains[1]
        term = -torch.nn.functional.logsigmoid(beta * margin) - supervised * chosen / len(pair["chosen"])
        loss = loss + pair["weight"] * term / total
        margins.append(float(margin))
        rewards.append([beta * float(g) for g in gains])
    loss.backward()
    expected["preference"] = dict(
        pairs=pairs, beta=beta, supervised=supervised, weightOfStep=total, loss=float(loss), margins=margins,
        rewards=rewards, gradients=gradients(network, probed),
    )
    network.zero_grad()

    with torch.no_grad():
        made = network.generate(
            input_ids=ids[:1, :6], attention_mask=torch.ones(1, 6, dtype=torch.long), max_new_tokens=24,
            do_sample=False, eos_token_id=None, pad_token_id=0,
        )
    expected["greedy"] = {"prompt": ids[0, :6].tolist(), "tokens": made[0, 6:].tolist()}

    # Last, because it moves the weights: 20 steps of AdamW with clipping, no decay on one-dimensional weights.
    matrices = [p for p in network.parameters() if p.dim() > 1]
    norms = [p for p in network.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": norms, "weight_decay": 0.0}],
        lr=3e-3, betas=(0.9, 0.95), eps=1e-8,
    )
    losses, sizes = [], []
    for _ in range(20):
        optimizer.zero_grad()
        loss = mean_loss(network, ids, targets)
        loss.backward()
        sizes.append(float(torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)))
        optimizer.step()
        losses.append(float(loss))
    expected["training"] = {"learningRate": 3e-3, "maximumNorm": 1.0, "losses": losses, "norms": sizes}
    return expected


def main() -> None:
    torch.set_num_threads(1)
    target = pathlib.Path(sys.argv[1])
    for name, tied, heads, kv in (("tied", True, 4, 2), ("untied", False, 4, 1)):
        directory = target / name
        network = model(tied, heads, kv)
        network.save_pretrained(directory)
        text = json.dumps(describe(network, PROBED), separators=(",", ":"))
        (directory / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
