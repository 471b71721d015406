#!/usr/bin/env python3
"""Fine-tunes a BERT as EncoderTrial of the trainer's tests did, with transformers: the same start, steps and settings.

    python bench/peers/train_encoder.py OUTPUT-OF-THE-TRIAL train.jsonl test.jsonl [--narrow] [--dropout 0.1] [--seed 1]

Reads OUTPUT/start and OUTPUT/batches.txt. Dropout is 0, as in Tidemill, unless --dropout asks for BERT's own. torch's
fused AdamW, weight decay on matrices alone, linear schedule without warm-up, clipping to 1; --narrow: autocast to bfloat16.
Prints each step's loss, and per epoch accuracy, F1 of the second label, macro F1 and the confusion matrix (row: right).
"""

import argparse
import json
import pathlib
import time

import torch
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification, get_linear_schedule_with_warmup


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True, help="tokenizer.json")
    parser.add_argument("--narrow", action="store_true")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--decay", type=float, default=0.01)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)

    tokenizer = Tokenizer.from_file(str(asked.tokenizer))
    tokenizer.no_padding()
    tokenizer.enable_truncation(asked.length)
    lines = [json.loads(line) for file in (asked.train, asked.test) for line in file.read_text().splitlines()]
    names = sorted({line["label"] for line in lines})
    of = {line["id"]: (tokenizer.encode(line["text"]).ids, names.index(line["label"])) for line in lines}
    tests = sorted((of[json.loads(line)["id"]] for line in asked.test.read_text().splitlines()), key=lambda e: len(e[0]))
    steps = [[of[name] for name in line.split()] for line in (asked.output / "batches.txt").read_text().splitlines()]

    network = BertForSequenceClassification.from_pretrained(
        asked.output / "start", hidden_dropout_prob=asked.dropout, attention_probs_dropout_prob=asked.dropout,
    ).float()
    named = list(network.named_parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [p for n, p in named if p.dim() > 1], "weight_decay": asked.decay},
         {"params": [p for n, p in named if p.dim() == 1], "weight_decay": 0.0}],
        lr=asked.rate, betas=(0.9, 0.999), eps=1e-8, fused=True,
    )
    schedule = get_linear_schedule_with_warmup(optimizer, 0, len(steps))

    def logits_of(examples):
        longest = max(len(ids) for ids, _ in examples)
        ids = torch.tensor([one + [0] * (longest - len(one)) for one, _ in examples])
        seen = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one, _ in examples])
        labels = torch.tensor([label for _, label in examples])
        with torch.autocast("cpu", torch.bfloat16, enabled=asked.narrow):
            return network(input_ids=ids, attention_mask=seen).logits.float(), labels

    def judge():
        network.eval()
        confusion = torch.zeros(len(names), len(names), dtype=torch.long)
        loss = 0.0
        with torch.no_grad():
            for at in range(0, len(tests), 32):
                logits, labels = logits_of(tests[at : at + 32])
                loss += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
                for right, said in zip(labels, logits.argmax(1)):
                    confusion[right, said] += 1
        hit = confusion.diag().double()
        f1 = 2 * hit / (confusion.sum(0) + confusion.sum(1)).clamp(min=1)
        accuracy = float(hit.sum() / confusion.sum())
        print(f"accuracy {accuracy:.4f} f1 {float(f1[-1]):.4f} f1_macro {float(f1.mean()):.4f} loss {loss / len(tests):.4f}"
              f" confusion {confusion.tolist()} labels {names}", flush=True)

    start, epoch = time.time(), len(steps) // asked.epochs
    for number, batch in enumerate(steps, 1):
        network.train()
        logits, labels = logits_of(batch)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        rate = schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        print(f"step={number} loss={float(loss):.5f} grad_norm={float(norm):.4f} lr={rate:.3e} elapsed_s={time.time() - start:.0f}",
              flush=True)
        if number % epoch == 0 or number == len(steps):
            judge()


if __name__ == "__main__":
    main()
