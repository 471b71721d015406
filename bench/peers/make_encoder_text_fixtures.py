#!/usr/bin/env python3
"""Writes a small tokenizer of BERT's kind and what transformers makes of texts with it, for the trainer's tests.

    python bench/peers/make_encoder_text_fixtures.py trainer/src/test/resources/encoder-text

Made with transformers 5.18.0: tokenizer.json as save_pretrained writes it, and expected.json: ids of texts, of pairs of
texts with their types, both cut to 12 tokens, and the word of each token as DataCollatorForLanguageModeling counts them
for whole words, made to count from 0.
"""

import json
import pathlib
import sys

import numpy
from transformers import BertTokenizer, DataCollatorForLanguageModeling

TEXTS = [
    "The tide mill doesn't stop.", "unhappiness, mills; tide-mill!", "One   word\tafter\nanother", "one\fword \u200bafter\u2028another", "Ünhappy mill",
    "a b c d e f g h i j k l m n o p", "mill",
]
PAIRS = [("the tide", "mill stop"), ("a b c d e f g h i j", "mill"), ("mill", "a b c d e f g h i j k"),
         ("a b c d e f g h", "i j k l m n o p"), ("a b c d e f g", "i j k l m n o p"), ("a b c d e f g h", "i j k l m n o"),
         ("a b c d e f g h", "i j k l"), ("a b c d e", "i j k l m"), ("a b c d", "i j k l m"), ("a b c", "i j k l m n o")]
LENGTH = 12


def main() -> None:
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "tide", "mill", "##s", "stop", "does", "##n", "un",
                  "##happi", "##ness", "##happy", "happy", "one", "word", "after", "another", ".", ",", ";", "!", "-", "'"]
    vocabulary += [chr(97 + i) for i in range(26)]
    (target / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    known = BertTokenizer(vocab=str(target / "vocab.txt"), do_lower_case=True)
    known.save_pretrained(target)
    (target / "vocab.txt").unlink()
    told = {"length": LENGTH, "texts": [], "pairs": []}
    for text in TEXTS:
        one = known(text, truncation=True, max_length=LENGTH, return_offsets_mapping=True, return_special_tokens_mask=True)
        words, _ = DataCollatorForLanguageModeling._calc_word_ids_and_prob_mask(
            numpy.array([one["offset_mapping"]]), numpy.array([one["special_tokens_mask"]]))
        words = [int(word) - 1 if word > 0 else -1 for word in words[0]]
        told["texts"].append({"text": text, "ids": one["input_ids"], "words": words})
    for a, b in PAIRS:
        one = known(a, b, truncation=True, max_length=LENGTH)
        told["pairs"].append({"a": a, "b": b, "ids": one["input_ids"], "types": one["token_type_ids"]})
    (target / "expected.json").write_text(json.dumps(told, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
