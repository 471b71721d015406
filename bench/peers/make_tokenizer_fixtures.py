"""Makes the fixtures of model/text from Hugging Face's own tokenizers.

    python make_tokenizer_fixtures.py model/text/src/test/resources/io/tidemill/model/text

Reads corpus.txt there (documents parted by a line "%%"), trains a byte-level BPE vocabulary of 600 on it, and writes
bpe-600.json: tokens by id, merges, and the ids of awkward strings, once as plain text and once with special tokens read.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
AWKWARD = [
    "",
    " ",
    "a",
    "Hello, world!",
    "It's what they've said; we'll see, I'd say, you're I'm don't",
    "IT'S SHOUTED, WE'LL SEE",
    "two  spaces   three    four",
    "  leading and trailing  ",
    "line\nbreak\n\nparagraph\n",
    "windows\r\nline\r\n\r\nends",
    "tab\tseparated\t\tvalues",
    "non\u00a0breaking\u00a0 space",
    "thin\u2009space, ideographic\u3000space, next\u0085line, line\u2028separator",
    "zero\u200bwidth and \ufeffbyte order mark",
    "emoji \U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 flags \U0001f1e9\U0001f1ea",
    "skin tone \U0001f44d\U0001f3fd",
    "na\u00efve caf\u00e9 r\u00e9sum\u00e9",
    "combining e\u0301 and a\u030a",
    "Stra\u00dfe \u00dcber \u00e4\u00f6\u00fc",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440",
    "\u4f60\u597d\uff0c\u4e16\u754c",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0928\u092e\u0938\u094d\u0924\u0947",
    "1234567890 3.14 1,000,000 2nd \u00bd \u2168 \u0664\u0665",
    "def f(x):\n    return x ** 2  # square\n",
    "{\"key\": [1, 2.5, null], \"a\\\"b\": true}",
    "<a href=\"https://example.org/?q=1&r=2\">x</a>",
    "snake_case camelCase kebab-case __dunder__",
    "--dashes-- \u2014 em \u2026 ellipsis ...",
    "null\x00byte and \x7f delete \x1b escape",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ends with <|im_end|> inside",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start| <|im_end <|endoftext|><|endoftext|> |>",
]


def main(folder):
    documents = (folder / "corpus.txt").read_bytes().decode().split("\n%%\n")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    cases = []
    for text in AWKWARD:
        tokenizer.encode_special_tokens = False
        template = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        decoded = tokenizer.decode(template, skip_special_tokens=True)
        cases.append({"text": text, "plain": plain, "template": template, "decodedTemplate": decoded})
    fixture = {
        "madeBy": "bench/peers/make_tokenizer_fixtures.py",
        "tokens": sorted(model["vocab"], key=model["vocab"].get),
        "merges": [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]],
        "cases": cases,
    }
    (folder / "bpe-600.json").write_text(json.dumps(fixture, indent=1) + "\n", encoding="utf-8")
    print(f"{len(fixture['tokens'])} tokens, {len(fixture['merges'])} merges, {len(cases)} cases")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
