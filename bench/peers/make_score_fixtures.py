#!/usr/bin/env python3
"""Writes what transformers and PEFT say about tiny decoders with a head of scores, for the engine's tests.

    PYTHONHASHSEED=0 python bench/peers/make_score_fixtures.py model/engine/src/test/resources/fixtures

Made with torch 2.13.0, transformers 5.18.0 and PEFT 0.21.0 on one thread. Per model, in scores/NAME: config.json and
model.safetensors as save_pretrained writes them, and expected.json: texts and their scores, each read alone; and where
there is one score, the Bradley-Terry loss over pairs of answers to one prompt, with weights, its gradients and 20 losses
of AdamW. scores/NAME-lora is the same for an adapter on NAME whose scores are trained as a whole, with its gradients.
"""

import json
import pathlib
import sys

import torch
from make_engine_fixtures import gradients
from make_family_fixtures import rounded
from peft import LoraConfig, get_peft_model
from transformers import (
    GPT2Config,
    GPT2ForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForSequenceClassification,
    Qwen2Config,
    Qwen2ForSequenceClassification,
    Qwen3Config,
    Qwen3ForSequenceClassification,
)

SHAPE = dict(
    vocab_size=61, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=6, max_position_embeddings=64, initializer_range=0.2, bos_token_id=1, eos_token_id=2,
)
# A padding token that ends some of the texts, none, and several labels with names.
MODELS = {
    "llama": lambda: LlamaForSequenceClassification(LlamaConfig(num_labels=1, tie_word_embeddings=True, **SHAPE)),
    "mistral": lambda: MistralForSequenceClassification(
        MistralConfig(num_labels=1, sliding_window=5, pad_token_id=0, **SHAPE)),
    "qwen2": lambda: Qwen2ForSequenceClassification(
        Qwen2Config(id2label={0: "bad", 1: "so-so", 2: "good"}, pad_token_id=7, **{k: v for k, v in SHAPE.items() if k != "head_dim"})),
    "qwen3": lambda: Qwen3ForSequenceClassification(Qwen3Config(num_labels=1, pad_token_id=0, **SHAPE)),
    "gpt2": lambda: GPT2ForSequenceClassification(GPT2Config(
        vocab_size=61, n_embd=24, n_inner=40, n_layer=2, n_head=4, n_positions=64, initializer_range=0.2, num_labels=1,
        bos_token_id=1, eos_token_id=2, pad_token_id=7, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)),
}
TEXTS = [[5, 9, 13, 40, 8, 11, 60, 2], [21], [33, 34, 35, 36, 37, 38, 39, 7], [12, 7, 19, 7, 7], [3, 4]]
PAIRS = [
    dict(prompt=[5, 9, 13, 40, 17, 18, 20], chosen=[8, 11, 60, 2], rejected=[30, 2], weight=1.0),
    dict(prompt=[21, 22], chosen=[33, 2], rejected=[34, 35, 36, 37, 2], weight=0.5),
    dict(prompt=[44], chosen=[6], rejected=[50, 51], weight=2.0),
]


def made(name: str):
    torch.manual_seed(len(name) + 3)
    network = MODELS[name]().float().eval()
    with torch.no_grad():  # norms and biases that are not what they begin as, so that a forgotten one shows
        for key, parameter in network.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return network


def scores(network, ids):
    return network(input_ids=torch.tensor([ids])).logits[0]


def bradley_terry(network):
    """sum_p w_p / sum(w) * -log sigmoid(r(chosen) - r(rejected))"""
    total = sum(pair["weight"] for pair in PAIRS)
    loss = 0.0
    for pair in PAIRS:
        margin = scores(network, pair["prompt"] + pair["chosen"]) - scores(network, pair["prompt"] + pair["rejected"])
        loss = loss - pair["weight"] / total * torch.nn.functional.logsigmoid(margin[0])
    return loss


def learned(network) -> dict:
    return {name: 12 for name, parameter in network.named_parameters() if parameter.requires_grad}


def plain(name: str) -> str:
    return name.replace(".default.", ".").replace(".modules_to_save.", ".").replace("score.default", "score")


def described(network) -> dict:
    expected = {"texts": TEXTS, "scores": [scores(network, text).tolist() for text in TEXTS]}
    if network.config.num_labels != 1:
        return expected
    network.zero_grad()
    loss = bradley_terry(network)
    loss.backward()
    found = gradients(network, learned(network))
    found["probes"] = {plain(name): values for name, values in found["probes"].items()}
    expected["pairs"] = PAIRS
    expected["loss"] = float(loss)
    expected["gradients"] = found
    moving = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in moving if p.dim() > 1], "weight_decay": 0.1},
         {"params": [p for p in moving if p.dim() == 1], "weight_decay": 0.0}],
        lr=3e-3, betas=(0.9, 0.95), eps=1e-8,
    )
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = bradley_terry(network)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(moving, 1.0)
        optimizer.step()
        losses.append(float(loss))
    expected["losses"] = losses
    return expected


def write(directory: pathlib.Path, network, **more) -> None:
    network.save_pretrained(directory)
    (directory / "README.md").unlink(missing_ok=True)  # a model card of blanks
    (directory / "generation_config.json").unlink(missing_ok=True)
    expected = {**more, **described(network)}
    (directory / "expected.json").write_text(json.dumps(rounded(expected), separators=(",", ":")) + "\n")


def main() -> None:
    torch.set_num_threads(1)
    fixtures = pathlib.Path(sys.argv[1]) / "scores"
    for name in MODELS:
        write(fixtures / name, made(name))
    for name in ("llama", "gpt2"):
        torch.manual_seed(9)
        network = get_peft_model(
            made(name), LoraConfig(task_type="SEQ_CLS", r=3, lora_alpha=6, target_modules="all-linear", init_lora_weights=False))
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.requires_grad:
                    parameter.copy_(0.1 * torch.randn_like(parameter))
        network.peft_config["default"].base_model_name_or_path = name
        write(fixtures / f"{name}-lora", network.eval(), base=name)


if __name__ == "__main__":
    main()
