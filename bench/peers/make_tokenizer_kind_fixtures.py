"""Makes fixtures of tokenizers that are not plain byte-level BPE, with Hugging Face's own library.

    python make_tokenizer_kind_fixtures.py model/text/src/test/resources/io/tidemill/model/text

Writes tokenizer-kinds.json.gz: tiny tokenizers trained on corpus.txt in the manner of Llama 2 (BPE over pieces, bytes
for what is unknown), of T5 (Unigram, Metaspace), of BERT (WordPiece) and of GPT-2 with truncation and padding left on
in the file; for each the ids of awkward strings, and what ids, drawn at random too, decode to.
"""

import gzip
import json
import pathlib
import random
import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = [
    "",
    " ",
    "a",
    " a",
    "  a  b ",
    "Hello, world! It's don't.",
    "line\nbreak\n\n\ttab",
    "emoji 😀👩‍👧‍👦 flag 🇩🇪",
    "combining e\u0301 a\u030a\u0323 क्षि",
    "你好，世界。日本語のテキスト",
    "naïve café Straße Привет مرحبا",
    "😀",
    "x😀y",
    "\u200d\ufe0f\u00a0z",
    "the the the truth universally acknowledged " * 20,
]


def documents(folder):
    return (folder / "corpus.txt").read_bytes().decode().split("\n%%\n")


def llama(corpus):
    letters = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    letters.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False)
    letters.train_from_iterator(corpus, trainer)
    state = json.loads(letters.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += [token for token in sorted(state["vocab"], key=state["vocab"].get) if token not in tokens]
    merges = [tuple(merge) for merge in state["merges"]]
    model = models.BPE({token: i for i, token in enumerate(tokens)}, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = letters.normalizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def unigram(corpus):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        corpus,
        trainers.UnigramTrainer(
            vocab_size=300, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
        ),
    )
    tokenizer.add_special_tokens(["<extra_id_0>", "<extra_id_1>"])
    tokenizer.add_tokens(["ordinary"])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def wordpiece(corpus):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        corpus, trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def truncating(corpus):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return tokenizer


def main(folder):
    draw = random.Random(20261123)
    corpus = documents(folder)
    fixture = {"madeBy": "bench/peers/make_tokenizer_kind_fixtures.py", "kinds": {}}
    for name, make in [("llama", llama), ("unigram", unigram), ("wordpiece", wordpiece), ("truncating", truncating)]:
        tokenizer = make(corpus)
        cases = []
        for text in TEXTS:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids)})
        decoded = []
        size = tokenizer.get_vocab_size()
        for _ in range(200):
            ids = [draw.randrange(size if draw.random() < 0.5 else min(size, 259)) for _ in range(draw.randint(0, 25))]
            decoded.append({"ids": ids, "decoded": tokenizer.decode(ids)})
        if name == "truncating":
            tokenizer.enable_truncation(8)
            tokenizer.enable_padding(length=16, pad_id=0, pad_token="<|endoftext|>")
        fixture["kinds"][name] = {"tokenizer": json.loads(tokenizer.to_str()), "cases": cases, "decoded": decoded}
    data = json.dumps(fixture, ensure_ascii=False).encode()
    (folder / "tokenizer-kinds.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{len(data)} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
