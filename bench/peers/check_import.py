#!/usr/bin/env python3
"""Checks what `tidemill import` made, and writes what the Java tests compare their own numbers with.

    python bench/peers/check_import.py bert DIR FIXTURE.json
    python bench/peers/check_import.py onnx DIR FIXTURE.json MODEL.onnx ONNXRUNTIME.jar

bert: loads DIR with transformers, which must call everything by its name and answer the cloze question with "france";
its tokenizer must be what transformers makes of the same vocabulary. FIXTURE.json: for each text its ids, and at the
masked token the five highest logits and those of some fixed tokens.

onnx: runs MODEL.onnx in the ONNX runtime and DIR in transformers, which must agree within 1e-4. FIXTURE.json: for each
text its ids and the beginning of the hidden states of its first and its last token, as the ONNX runtime has them.

The fixtures were made with torch 2.13.0, transformers 5.18.0 and onnxruntime 1.22.0, on a CPU with one thread.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers

CLOZES = """paris is the capital of [MASK].
the [MASK] rises in the east.
she plays the [MASK] in an orchestra.
water boils at one hundred [MASK].
he was born in [MASK] and moved to london as a child.
the doctor told him to take the [MASK] twice a day.
my favourite colour is [MASK].
the cat sat on the [MASK].
in 1969 two men walked on the [MASK].
the opposite of hot is [MASK].
they sailed across the [MASK] for three weeks.
the judge sentenced him to ten years in [MASK].
a triangle has three [MASK].
bread is made of flour, [MASK] and salt.
the tide turns [MASK] a day.
shakespeare wrote hamlet and [MASK].
"what time is it?" she [MASK].
I can't find my [MASK]; have you seen them?
naïve café owners in zürich sell [MASK] – 3,50 € each.
the committee, which had met every week since the spring, finally agreed on the [MASK] that everyone expected."""
FIXED = list(range(1000, 30000, 2900))
SEEN = 12  # elements of a hidden state that are kept


def rounded(values, digits=5):
    return [round(float(value), digits) for value in values]


def same_tokenizer(directory: pathlib.Path) -> None:
    """Ours is what transformers writes for the same vocabulary."""
    ours = json.loads((directory / "tokenizer.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "vocab.txt"
        tokens = sorted(ours["model"]["vocab"], key=ours["model"]["vocab"].get)
        path.write_text("\n".join(tokens) + "\n")
        theirs = transformers.BertTokenizer(vocab=str(path), do_lower_case=ours["normalizer"]["lowercase"])
        theirs.save_pretrained(scratch)
        assert ours == json.loads((pathlib.Path(scratch) / "tokenizer.json").read_text()), "tokenizer.json differs"


def bert(directory: pathlib.Path, fixture: pathlib.Path) -> None:
    same_tokenizer(directory)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model, report = transformers.AutoModelForMaskedLM.from_pretrained(directory, output_loading_info=True)
    assert type(model).__name__ == "BertForMaskedLM", type(model)
    assert not report["missing_keys"] and not report["mismatched_keys"], report
    model.eval()
    texts = []
    for text in CLOZES.split("\n"):
        ids = tokenizer(text)["input_ids"]
        place = ids.index(tokenizer.mask_token_id)
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, place]
        top = torch.topk(logits, 5)
        share = float(torch.softmax(logits, 0)[top.indices[0]])
        print(f"{tokenizer.convert_ids_to_tokens(int(top.indices[0])):12} {share:.3f}  {text}")
        texts.append({"text": text, "ids": ids, "place": place, "top": top.indices.tolist(),
                      "topLogits": rounded(top.values), "logits": rounded(logits[FIXED]), "share": round(share, 5)})
    assert tokenizer.convert_ids_to_tokens(texts[0]["top"][0]) == "france" and abs(texts[0]["share"] - 0.951) < 2e-3
    fixture.write_text(json.dumps({"fixed": FIXED, "texts": texts}, ensure_ascii=False, indent=1) + "\n")


def onnx(directory: pathlib.Path, fixture: pathlib.Path, model_file: str, runtime: str) -> None:
    same_tokenizer(directory)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model, report = transformers.AutoModel.from_pretrained(directory, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"], report
    model.eval()
    texts = [text.replace("[MASK]", "thing") for text in CLOZES.split("\n")]
    texts[-1] = " ".join(texts)  # longer than the 128 tokens that MiniLM's tokenizer file would cut at
    rows = [tokenizer(text)["input_ids"] for text in texts]
    assert len(rows[-1]) > 128
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(" ".join(map(str, ids)) for ids in rows) + "\n")
        file.flush()
        source = pathlib.Path(__file__).with_name("OnnxVectors.java")
        out = subprocess.run(["java", "-cp", runtime, str(source), model_file, file.name], check=True,
                             capture_output=True, text=True).stdout
    worst = 0.0
    kept = []
    for text, ids, block in zip(texts, rows, out.strip().split("\n\n"), strict=True):
        theirs = torch.tensor([[float(value) for value in line.split()] for line in block.split("\n")])
        with torch.no_grad():
            ours = model(torch.tensor([ids])).last_hidden_state[0]
        worst = max(worst, float((ours - theirs).abs().max()))
        kept.append({"text": text, "ids": ids, "first": rounded(theirs[0, :SEEN], 6),
                     "last": rounded(theirs[-1, :SEEN], 6)})
    print(f"{directory}: {len(kept)} texts, largest difference of a hidden state to the ONNX runtime {worst:.2e}")
    assert worst < 1e-4
    fixture.write_text(json.dumps({"texts": kept}, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    kind, directory, fixture, *rest = sys.argv[1:]
    {"bert": bert, "onnx": onnx}[kind](pathlib.Path(directory), pathlib.Path(fixture), *rest)
