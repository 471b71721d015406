#!/usr/bin/env python3
"""Writes what transformers' collator masks, for the trainer's tests.

    python bench/peers/make_masking_fixtures.py trainer/src/test/resources/masking.json

Made with transformers 5.18.0: DataCollatorForLanguageModeling over 400 made-up texts of 64 tokens (words of one to three
tokens between [CLS] and [SEP]), 20 times, of tokens and of whole words. Counts of all draws: tokens that may be masked,
chosen ones, of these masks, unchanged and other ones; for whole words also words, and chosen words. And the texts: how many
tokens each word has.
"""

import json
import random
import sys

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

VOCABULARY = 120


def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])}
    for i in range(VOCABULARY - 5):
        vocabulary[(f"##{chr(97 + i % 26)}{i}" if i >= 60 else f"{chr(97 + i % 26)}{i}")] = len(vocabulary)
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, mask_token="[MASK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]")


def main() -> None:
    chance = random.Random(7)
    words_of = []
    for _ in range(400):
        sizes = []
        while sum(sizes) < 62:
            sizes.append(min(chance.choice([1, 1, 1, 2, 3]), 62 - sum(sizes)))
        words_of.append(sizes)
    known = tokenizer()
    plain = sorted(known.get_vocab().items(), key=lambda entry: entry[1])
    first = [token for token, _ in plain[5:] if not token.startswith("##")]
    later = [token[2:] for token, _ in plain if token.startswith("##")]
    texts = [
        " ".join(first[chance.randrange(len(first))] + "".join(later[chance.randrange(len(later))] for _ in range(size - 1))
                 for size in sizes)
        for sizes in words_of
    ]
    told = {"words": words_of, "vocabulary": VOCABULARY, "draws": 20}
    for name, whole in (("tokens", False), ("whole_words", True)):
        torch.manual_seed(1)
        collator = DataCollatorForLanguageModeling(known, whole_word_mask=whole)
        counts = dict.fromkeys(("maskable", "chosen", "masks", "unchanged", "other", "special", "words", "chosen_words"), 0)
        for _ in range(20):
            encoded = [known(text, return_special_tokens_mask=True, return_offsets_mapping=whole) for text in texts]
            assert all(len(one["input_ids"]) == 64 for one in encoded)
            before = torch.tensor([one["input_ids"] for one in encoded])
            batch = collator(encoded)
            ids, labels = batch["input_ids"], batch["labels"]
            chosen = labels != -100
            special = before < 5
            counts["maskable"] += int((~special).sum())
            counts["chosen"] += int(chosen.sum())
            counts["special"] += int((chosen & special).sum())
            counts["masks"] += int((chosen & (ids == 4)).sum())
            counts["unchanged"] += int((chosen & (ids == before)).sum())
            counts["other"] += int((chosen & (ids != before) & (ids != 4)).sum())
            for row, sizes in enumerate(words_of):
                at = 1
                for size in sizes:
                    part = chosen[row, at : at + size]
                    counts["words"] += 1
                    counts["chosen_words"] += int(part.all())
                    at += size
        told[name] = counts
    with open(sys.argv[1], "w") as file:
        json.dump(told, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
