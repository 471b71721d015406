#!/usr/bin/env python3
"""Reads an adapter that Tidemill wrote on an encoder with labels in PEFT, and compares the logits.

    python bench/peers/check_encoder_adapter.py BASE-DIR ADAPTER-DIR EXPECTED.json

EXPECTED.json is {"logits": ...} of the batch of make_encoder_fixtures.py. Prints the largest difference; above 1e-4 is an error.
"""

import json
import pathlib
import sys

import torch
from make_encoder_fixtures import batch
from peft import PeftModel
from transformers import AutoConfig, BertForMaskedLM, BertForSequenceClassification


def main() -> None:
    base, adapter, expected = sys.argv[1:4]
    masked = AutoConfig.from_pretrained(base).architectures == ["BertForMaskedLM"]
    network = (BertForMaskedLM if masked else BertForSequenceClassification).from_pretrained(base, dtype=torch.float32)
    network = PeftModel.from_pretrained(network, adapter).eval()
    inputs, targets, _ = batch(0)
    with torch.no_grad():
        logits = network(**inputs).logits
    if masked:
        logits = logits[0][targets[0] != -100]
    told = torch.tensor(json.loads(pathlib.Path(expected).read_text())["logits"])
    difference = float((logits - told).abs().max())
    print(f"largest difference of logits {difference:.2e}")
    sys.exit(difference > 1e-4)


if __name__ == "__main__":
    main()
