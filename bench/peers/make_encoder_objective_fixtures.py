#!/usr/bin/env python3
"""Writes what transformers, PEFT and torch say about learning with tiny BERT encoders, for the engine's tests.

    PYTHONHASHSEED=0 python bench/peers/make_encoder_objective_fixtures.py model/engine/src/test/resources/fixtures

Made with torch 2.13.0, transformers 5.18.0 and PEFT 0.21.0 on one thread, after make_encoder_fixtures.py. Batches are those
of that script. Written are:

  bert-labels/weighted.json   torch's CrossEntropyLoss(weight=...) on the logits of BertForSequenceClassification
  bert-several, bert-score    the loss that the model itself gives with problem_type multi_label_classification and
                              regression; weighted.json of the first: BCEWithLogitsLoss(pos_weight=...)
  groups.json                 20 steps of torch.optim.AdamW with parameter groups: loss and norm before clipping of each,
                              and some weights afterwards, on an encoder and on a decoder
  lora/bert-labels, -masked   adapters as PEFT saves them, with logits, loss, gradients and 20 steps
"""

import json
import pathlib
import sys

import torch
import transformers
from make_encoder_fixtures import LENGTHS, batch, network_of
from make_engine_fixtures import IGNORED, mean_loss
from make_family_fixtures import batch as decoder_batch
from make_family_fixtures import rounded, shaken
from peft import LoraConfig, get_peft_model

WEIGHTS = [0.5, 2.0, 1.25]
SCORES = [1.5, -0.75, 0.25]
SEVERAL = [[0, 2], [], [1]]


def write(path: pathlib.Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rounded(value), separators=(",", ":")) + "\n")


def several(step: int) -> torch.Tensor:
    y = torch.zeros(len(LENGTHS), 3)
    for row in range(len(LENGTHS)):
        for label in SEVERAL[(row + step) % 3]:
            y[row, label] = 1
    return y


def scores(step: int) -> torch.Tensor:
    return torch.tensor([SCORES[(row + step) % 3] for row in range(len(LENGTHS))])


def told(network, loss, logits) -> dict:
    network.zero_grad()
    loss.backward()
    learned = {n: p for n, p in network.named_parameters() if p.grad is not None}
    return {
        "loss": float(loss.detach()),
        "logits": logits.detach().tolist(),
        "norm": sum(float(p.grad.double().pow(2).sum()) for p in learned.values()) ** 0.5,
        "gradients": {n: p.grad.flatten()[:10].tolist() for n, p in learned.items()},
    }


def classifier(problem: str, labels: int):
    torch.manual_seed(len(problem))
    config = transformers.BertConfig(
        vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
        max_position_embeddings=32, type_vocab_size=2, initializer_range=0.2, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, num_labels=labels, problem_type=problem,
    )
    return shaken(transformers.BertForSequenceClassification(config).float())


def objectives(fixtures: pathlib.Path) -> None:
    network = network_of("BertForSequenceClassification")
    inputs, _, labels = batch(0)
    logits = network(**inputs).logits
    loss = torch.nn.CrossEntropyLoss(weight=torch.tensor(WEIGHTS))(logits, labels)
    write(fixtures / "bert-labels" / "weighted.json", {"weights": WEIGHTS, **told(network, loss, logits)})

    network = classifier("multi_label_classification", 3)
    network.save_pretrained(fixtures / "bert-several")
    said = network(**inputs, labels=several(0))
    write(fixtures / "bert-several" / "expected.json", told(network, said.loss, said.logits))
    logits = network(**inputs).logits
    loss = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(WEIGHTS))(logits, several(0))
    write(fixtures / "bert-several" / "weighted.json", {"weights": WEIGHTS, **told(network, loss, logits)})

    network = classifier("regression", 1)
    network.save_pretrained(fixtures / "bert-score")
    said = network(**inputs, labels=scores(0))
    write(fixtures / "bert-score" / "expected.json", told(network, said.loss, said.logits))


def steps(network, groups: list, loss_of, count: int = 20) -> list:
    learned = [parameter for group in groups for parameter in group["params"]]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8)
    lines = []
    for step in range(count):
        optimizer.zero_grad()
        loss = loss_of(network, step)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        lines.append([float(loss.detach()), float(norm)])
    return lines


def grouped(network, rate: float, factor, frozen, decays) -> list:
    """One group a parameter; factor, frozen and decays are asked by name."""
    groups = []
    for name, parameter in network.named_parameters():
        if frozen(name):
            parameter.requires_grad_(False)
        else:
            decay = 0.1 if parameter.dim() > 1 and decays(name) else 0.0
            groups.append({"params": [parameter], "lr": rate * factor(name), "weight_decay": decay})
    return groups


def label_loss(network, step: int):
    inputs, _, labels = batch(step)
    return torch.nn.functional.cross_entropy(network(**inputs).logits, labels)


def groups(fixtures: pathlib.Path) -> None:
    def of_bert(name: str) -> float:
        if ".layer.0." in name:
            return 0.49
        if ".layer.1." in name:
            return 0.7
        if "embeddings" in name:
            return 0.343
        return 3.0  # pooler and classifier

    def of_llama(name: str) -> float:
        if ".layers.0." in name:
            return 0.49
        if ".layers.1." in name:
            return 0.7
        if "embed_tokens" in name:
            return 0.343
        return 3.0 if "lm_head" in name else 1.0

    encoder = network_of("BertForSequenceClassification")
    decayed = steps(encoder, grouped(encoder, 2e-3, of_bert, lambda n: False, lambda n: "query" not in n), label_loss)
    weights = {n: p.detach().flatten()[:4].tolist() for n, p in encoder.named_parameters()}
    frozen = network_of("BertForSequenceClassification")
    held = steps(frozen, grouped(frozen, 2e-3, lambda n: 1.0, lambda n: "embeddings" in n or ".layer.0." in n or "key" in n,
                                 lambda n: True), label_loss)
    decoder = transformers.AutoModelForCausalLM.from_pretrained(fixtures / "llama-biases", dtype=torch.float32)
    slow = steps(decoder, grouped(decoder, 2e-3, of_llama, lambda n: False, lambda n: True),
                 lambda network, step: mean_loss(network, *decoder_batch(step)))
    write(fixtures / "groups.json", {
        "encoder": {"steps": decayed, "weights": weights},
        "frozen": {"steps": held},
        "decoder": {"steps": slow},
    })


ADAPTERS = {
    "bert-labels": ("BertForSequenceClassification", "SEQ_CLS", dict(r=3, lora_alpha=6, target_modules=["query", "value"])),
    "bert-labels-dense": ("BertForSequenceClassification", "SEQ_CLS", dict(
        r=2, lora_alpha=3, use_rslora=True, target_modules=["key", "dense", "query"], exclude_modules=["intermediate.dense"],
        rank_pattern={"output.dense": 4},
    )),
    "bert-masked": ("BertForMaskedLM", None, dict(r=4, lora_alpha=8, target_modules=["query", "key", "value", "dense"])),
}


def adapted(fixtures: pathlib.Path, base: str, kind: str, task, settings: dict):
    torch.manual_seed(len(str(settings)))
    network = getattr(transformers, kind).from_pretrained(fixtures / base, dtype=torch.float32)
    network = get_peft_model(network, LoraConfig(task_type=task, init_lora_weights=False, **settings))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.copy_(0.1 * torch.randn_like(parameter))
    network.peft_config["default"].base_model_name_or_path = base
    return network.eval()


def plain(name: str) -> str:
    return name.replace(".default.", ".").replace(".modules_to_save.", ".")


def adapter_loss(network, step: int):
    inputs, targets, labels = batch(step)
    logits = network(**inputs).logits
    if logits.dim() == 3:
        return torch.nn.functional.cross_entropy(logits.view(-1, 61), targets.view(-1), ignore_index=IGNORED), logits
    return torch.nn.functional.cross_entropy(logits, labels), logits


def adapters(fixtures: pathlib.Path) -> None:
    for name, (kind, task, settings) in ADAPTERS.items():
        base = "bert-masked" if kind == "BertForMaskedLM" else "bert-labels"
        directory = fixtures / "lora" / name
        network = adapted(fixtures, base, kind, task, settings)
        network.save_pretrained(directory)
        (directory / "README.md").unlink(missing_ok=True)
        loss, logits = adapter_loss(network, 0)
        if logits.dim() == 3:
            logits = logits[0][batch(0)[1][0] != IGNORED]
        expected = told(network, loss, logits)
        expected["gradients"] = {plain(n): values for n, values in expected["gradients"].items()}
        expected["parameters"] = sum(p.numel() for p in network.parameters() if p.requires_grad)
        expected["base"] = base
        network = adapted(fixtures, base, kind, task, settings)
        learned = [p for p in network.parameters() if p.requires_grad]
        parts = [{"params": [p for p in learned if p.dim() > 1], "lr": 2e-3, "weight_decay": 0.1}]
        if any(p.dim() == 1 for p in learned):
            parts.append({"params": [p for p in learned if p.dim() == 1], "lr": 2e-3, "weight_decay": 0.0})
        expected["steps"] = steps(network, parts, lambda n, step: adapter_loss(n, step)[0])
        write(directory / "expected.json", expected)


def main() -> None:
    torch.set_num_threads(1)
    fixtures = pathlib.Path(sys.argv[1])
    objectives(fixtures)
    groups(fixtures)
    adapters(fixtures)


if __name__ == "__main__":
    main()
