#!/usr/bin/env python3
"""Tokens per CPU-second of generation, Tidemill beside transformers and llama.cpp, in one run.

    python bench/peers/bench_generation.py [--shapes base medium smol] [--batches 1 8] [--pairs 7] [--llama]

One thread each; CPU-seconds of the process that generates; prompts of 32 random tokens, 128 new ones, the most likely
taken, key-value cache on. The weights are random and the same for all. Measurements alternate; a line is the median of
the pairs and of their ratios. Ours is measured in float32 and bfloat16, transformers in both too.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"
import torch  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT, NEW = 32, 128
SHAPES = {
    "base": dict(vocab_size=6144, hidden_size=256, intermediate_size=704, num_hidden_layers=8,
                 num_attention_heads=8, num_key_value_heads=4, head_dim=32, max_position_embeddings=512),
    "medium": dict(vocab_size=16000, hidden_size=512, intermediate_size=1376, num_hidden_layers=8,
                   num_attention_heads=8, num_key_value_heads=8, head_dim=64, max_position_embeddings=1024),
    "smol": dict(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                 num_attention_heads=9, num_key_value_heads=3, head_dim=64, max_position_embeddings=2048),
}


def write_model(shape: str, directory: pathlib.Path) -> None:
    torch.manual_seed(1)
    LlamaForCausalLM(LlamaConfig(tie_word_embeddings=True, **SHAPES[shape])).save_pretrained(directory)


def ours(directory, kind, batch, seconds):
    made = subprocess.run(
        [ROOT / "bench/run", "GenerationBench", directory, kind, str(batch), str(PROMPT), str(NEW), str(seconds)],
        check=True, capture_output=True, text=True)
    line = next(line for line in made.stdout.splitlines() if line.startswith("{"))
    return json.loads(line)["tokens_per_cpu_second"]


def llama_cpp(model, batch, seconds):
    made = subprocess.run([ROOT / "bench/run", "LlamaBench", model, str(batch), str(PROMPT), str(NEW), str(seconds)],
                          check=True, capture_output=True, text=True, timeout=300)
    line = next(line for line in made.stdout.splitlines() if line.startswith("{"))
    return json.loads(line)["tokens_per_cpu_second"]


def theirs(model, batch, seconds):
    ids = torch.randint(0, model.config.vocab_size, (batch, PROMPT), generator=torch.Generator().manual_seed(0))

    def generate():
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, min_new_tokens=NEW,
                       do_sample=False, pad_token_id=0)
        return batch * NEW

    with torch.inference_mode():
        generate()
        tokens, start = 0, time.process_time()
        while time.process_time() - start < seconds:
            tokens += generate()
        return tokens / (time.process_time() - start)


def measure(shape, batch, pairs, seconds, directory, gguf):
    peers = {
        "float32": LlamaForCausalLM.from_pretrained(directory, dtype=torch.float32).eval(),
        "bfloat16": LlamaForCausalLM.from_pretrained(directory, dtype=torch.bfloat16).eval(),
    }
    rows = []
    for _ in range(pairs):
        row = {}
        for kind in peers:
            row["tidemill " + kind] = ours(directory, kind, batch, seconds)
            row["transformers " + kind] = theirs(peers[kind], batch, seconds)
        if gguf:
            row["llama.cpp bfloat16"] = llama_cpp(gguf, batch, seconds)
        rows.append(row)
    best = [max(v for k, v in row.items() if k.startswith("tidemill"))
            / max(v for k, v in row.items() if k.startswith("transformers")) for row in rows]
    medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    print(json.dumps({"shape": shape, "batch": batch, "pairs": pairs, "best_against_best": round(
        statistics.median(best), 2), **{name: round(value, 1) for name, value in medians.items()}}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="CPU-seconds of one measurement, at least")
    parser.add_argument("--llama", action="store_true", help="llama.cpp beside it, for the shape smol")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for shape in options.shapes:
        with tempfile.TemporaryDirectory() as directory:
            write_model(shape, pathlib.Path(directory))
            gguf = None
            if options.llama and shape == "smol":
                import write_gguf
                gguf = pathlib.Path(directory) / "model.gguf"
                write_gguf.write(pathlib.Path(directory), gguf)
            for batch in options.batches:
                measure(shape, batch, options.pairs, options.seconds, directory, gguf)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    main()
