#!/usr/bin/env python3
"""Writes what transformers and torch say about tiny BERT encoders, for the engine's tests.

    python bench/peers/make_encoder_fixtures.py model/engine/src/test/resources/fixtures

Made with torch 2.13.0 and transformers 5.18.0 on one thread: one encoder with the masked-language head, one with a
classifier, and one without any head and pooler (of which there is nothing to learn). Per model: config.json and model.safetensors as save_pretrained writes them; expected.json with hidden
states, logits, loss and gradients; adamw.losses, 50 steps of torch.optim.AdamW, one loss a line.
"""

import json
import pathlib
import sys

import torch
import transformers
from make_engine_fixtures import IGNORED
from make_family_fixtures import rounded, shaken

LENGTHS = [11, 17, 6]
MASK = 4


def network_of(name: str, **more):
    torch.manual_seed(len(name))
    config = transformers.BertConfig(
        vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
        max_position_embeddings=32, type_vocab_size=2, initializer_range=0.2, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, num_labels=3,
    )
    return shaken(getattr(transformers, name)(config, **more).float())


def batch(step: int):
    """Three padded rows that the Java test computes again; every fourth token is masked, the third row is short."""
    ids = torch.zeros(3, max(LENGTHS), dtype=torch.long)
    types = torch.zeros_like(ids)
    seen = torch.zeros_like(ids)
    targets = torch.full_like(ids, IGNORED)
    for row, length in enumerate(LENGTHS):
        for t in range(length):
            token = 5 + (5 * t + 7 * row + 11 * step + t * t * (row + 1)) % 56
            masked = t % 4 == 2
            ids[row, t] = MASK if masked else token
            types[row, t] = int(t > length // 2)
            seen[row, t] = 1
            if masked:
                targets[row, t] = token
    labels = torch.tensor([(row + step) % 3 for row in range(3)])
    return dict(input_ids=ids, token_type_ids=types, attention_mask=seen), targets, labels


def loss_of(network, step: int):
    inputs, targets, labels = batch(step)
    logits = network(**inputs).logits
    if logits.dim() == 3:
        return torch.nn.functional.cross_entropy(logits.view(-1, 61), targets.view(-1), ignore_index=IGNORED)
    return torch.nn.functional.cross_entropy(logits, labels)


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
        loss = loss_of(network, step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        lines.append(f"{float(loss.detach()):.8f}")
    return lines


def main() -> None:
    torch.set_num_threads(1)
    for directory, name in (("bert-masked", "BertForMaskedLM"), ("bert-labels", "BertForSequenceClassification")):
        target = pathlib.Path(sys.argv[1]) / directory
        network = network_of(name)
        network.save_pretrained(target)
        inputs, targets, _ = batch(0)
        with torch.no_grad():
            hidden = network.bert(**inputs).last_hidden_state
            logits = network(**inputs).logits
        expected = {
            "parameters": network.num_parameters(),
            "hidden": [hidden[row, :length].tolist() for row, length in enumerate(LENGTHS)],
            "logits": logits[0][targets[0] != IGNORED].tolist() if logits.dim() == 3 else logits.tolist(),
        }
        loss = loss_of(network, 0)
        loss.backward()
        named = dict(network.named_parameters())
        expected["loss"] = float(loss.detach())
        expected["norm"] = sum(float(p.grad.double().pow(2).sum()) for p in network.parameters()) ** 0.5
        expected["gradients"] = {n: p.grad.flatten()[:10].tolist() for n, p in named.items()}
        (target / "expected.json").write_text(json.dumps(rounded(expected), separators=(",", ":")) + "\n")
        (target / "adamw.losses").write_text("\n".join(curve(network_of(name))) + "\n")
    bare(pathlib.Path(sys.argv[1]) / "bert-bare")


def bare(target: pathlib.Path) -> None:
    network = network_of("BertModel", add_pooling_layer=False)
    network.save_pretrained(target)
    with torch.no_grad():
        hidden = network(**batch(0)[0]).last_hidden_state
    expected = {
        "parameters": network.num_parameters(),
        "hidden": [hidden[row, :length].tolist() for row, length in enumerate(LENGTHS)],
    }
    (target / "expected.json").write_text(json.dumps(rounded(expected), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
