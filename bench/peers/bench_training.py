#!/usr/bin/env python3
"""Training, Tidemill beside transformers, in one run: goals P2, P3 and P5.

    python bench/peers/bench_training.py speed  [--shape medium] [--rows 4] [--tokens 512]    P2, and our share for P3
    python bench/peers/bench_training.py mix    [--shape medium]                              P2, examples of mixed lengths
    python bench/peers/bench_training.py losses [--shape medium] [--steps 500]                P2, same losses
    python bench/peers/bench_training.py memory [--vocabulary 152000] [--lora 8]              P5

Every measurement is a process of its own with one thread, and they alternate; a figure is the median of the pairs (7
unless --pairs says otherwise), a ratio the median of the pairs' ratios. Time is CPU-seconds of the process. Both sides
start from one directory of random weights, which the peer writes, read the same file of batches, clip to norm 1 and use
AdamW (0.9, 0.95, 1e-8, decay 0.1 of matrices, rate 3e-4 without a schedule). The peers:

    trainer   transformers' Trainer as it comes: float32, its default optimizer and attention; logging, saving and the
              progress bar are off
    best      a bare loop in bfloat16 autocast, SDPA, fused AdamW
    best32    the same loop in float32

Memory is what the process had at most during full steps above what it held before them, after a step on 2 tokens has
touched weights, gradients and moments. The peer keeps its gradients between steps as we do, which favours it.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As io.tidemill.bench.Shapes.
SHAPES = {
    "base": dict(vocab_size=6144, hidden_size=256, intermediate_size=704, num_hidden_layers=8,
                 num_attention_heads=8, num_key_value_heads=4, head_dim=32, max_position_embeddings=512),
    "medium": dict(vocab_size=16000, hidden_size=512, intermediate_size=1376, num_hidden_layers=8,
                   num_attention_heads=8, num_key_value_heads=8, head_dim=64, max_position_embeddings=1024),
    "smol": dict(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                 num_attention_heads=9, num_key_value_heads=3, head_dim=64, max_position_embeddings=2048),
}
RATE, BETAS, EPSILON, DECAY = 3e-4, (0.9, 0.95), 1e-8, 0.1


# ---- what is trained -------------------------------------------------------------------------------------------------

def write_model(shape, vocabulary, directory):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    settings = dict(SHAPES[shape])
    if vocabulary:
        settings["vocab_size"] = vocabulary
    torch.manual_seed(1)
    LlamaForCausalLM(LlamaConfig(tie_word_embeddings=True, **settings)).save_pretrained(directory)
    return settings["vocab_size"]


def write_batches(file, lengths, vocabulary):
    """A line per step. A Markov source of 512 states with 8 successors each, so that there is something to learn."""
    source = random.Random(3)
    states = source.sample(range(vocabulary), 512)
    after = {state: source.choices(states, k=8) for state in states}
    weights = [1 / (1 + rank) for rank in range(8)]
    with open(file, "w") as out:
        for step in lengths:
            examples = []
            for length in step:
                token = source.choice(states)
                example = [token]
                while len(example) < length:
                    token = source.choices(after[token], weights)[0]
                    example.append(token)
                examples.append(" ".join(map(str, example)))
            out.write(",".join(examples) + "\n")


def mixed(steps, examples, longest):
    """Log-normal, median 90 tokens, sigma 0.9, at least 8, cut at `longest`: the spread of short chats and passages."""
    source = random.Random(5)
    return [[max(8, min(longest, round(source.lognormvariate(4.5, 0.9)))) for _ in range(examples)]
            for _ in range(steps)]


# ---- one measurement of the peer, in a process of its own ------------------------------------------------------------

def status(field):
    for line in open("/proc/self/status"):
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def read_batches(file, torch):
    """Padded to the longest of each batch, as transformers' collators do."""
    batches = []
    for line in open(file):
        examples = [[int(token) for token in example.split()] for example in line.split(",")]
        longest = max(map(len, examples))
        ids = torch.zeros(len(examples), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        labels = torch.full_like(ids, -100)
        for row, example in enumerate(examples):
            ids[row, : len(example)] = labels[row, : len(example)] = torch.tensor(example)
            mask[row, : len(example)] = 1
        batch = {"input_ids": ids, "labels": labels}
        if not mask.all():
            batch["attention_mask"] = mask
        batches.append(batch)
    return batches


def groups(model):
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": DECAY},
            {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0}]


def peer(options):
    import torch
    from transformers import LlamaForCausalLM

    torch.set_num_threads(1)
    batches = read_batches(options.batches, torch)
    model = LlamaForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    if options.lora:
        from peft import LoraConfig, get_peft_model
        model = get_peft_model(model, LoraConfig(r=options.lora, lora_alpha=2 * options.lora,
                                                 target_modules="all-linear", task_type="CAUSAL_LM"))
    model.train()
    result = (trainer if options.kind == "trainer" else loop)(options, model, batches, torch)
    print(json.dumps({"tool": options.kind, **result}), flush=True)


def figures(tokens, seconds, losses, held=None):
    result = {"tokens": tokens, "cpu_seconds": seconds, "tokens_per_cpu_second": tokens / seconds, "losses": losses}
    if held is not None:
        result.update(held_mib=held, peak_mib=status("VmHWM:"), step_mib=status("VmHWM:") - held)
    return result


def real_tokens(batch):
    return int(batch["labels"].ne(-100).sum())


def loop(options, model, batches, torch):
    optimizer = torch.optim.AdamW(groups(model), lr=RATE, betas=BETAS, eps=EPSILON, fused=True)
    trained = [p for p in model.parameters() if p.requires_grad]

    def step(batch):
        with torch.autocast("cpu", torch.bfloat16, enabled=options.kind == "best"):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=not options.memory)
        return loss.item()

    held = None
    if options.memory:
        step({"input_ids": torch.tensor([[1, 2]]), "labels": torch.tensor([[1, 2]])})
        held = status("VmRSS:")
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    losses, tokens, start = [], 0, 0.0
    for i in range(options.warmup + options.steps):
        if i == options.warmup:
            start = time.process_time()
        batch = batches[i % len(batches)]
        losses.append(step(batch))
        tokens += real_tokens(batch) if i >= options.warmup else 0
    return figures(tokens, time.process_time() - start, losses, held)


def trainer(options, model, batches, torch):
    from transformers import Trainer, TrainerCallback, TrainingArguments

    marks, losses = [], []

    class Clock(TrainerCallback):
        def on_step_end(self, *_, **__):
            marks.append(time.process_time())

    class Recorded(Trainer):
        def compute_loss(self, *arguments, **named):
            loss = super().compute_loss(*arguments, **named)
            losses.append(loss.item())
            return loss

    steps = options.warmup + options.steps
    used = [batches[i % len(batches)] for i in range(steps)]
    rows = [{name: values[row] for name, values in batch.items()} for batch in used
            for row in range(len(batch["input_ids"]))]
    with tempfile.TemporaryDirectory() as directory:
        Recorded(
            model=model, train_dataset=rows, callbacks=[Clock()],
            data_collator=lambda some: {name: torch.stack([each[name] for each in some]) for name in some[0]},
            args=TrainingArguments(
                output_dir=directory, use_cpu=True, per_device_train_batch_size=len(used[0]["input_ids"]), max_steps=steps,
                train_sampling_strategy="sequential", learning_rate=RATE, lr_scheduler_type="constant",
                adam_beta1=BETAS[0], adam_beta2=BETAS[1], adam_epsilon=EPSILON, weight_decay=DECAY, max_grad_norm=1.0,
                logging_strategy="no", save_strategy="no", report_to=[], disable_tqdm=True)).train()
    tokens = sum(real_tokens(batch) for batch in used[options.warmup:])
    return figures(tokens, marks[-1] - marks[options.warmup - 1], losses)


# ---- both, alternating -----------------------------------------------------------------------------------------------

def output(command):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
    made = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    lines = [line for line in made.stdout.splitlines() if line.startswith("{")]
    if made.returncode or not lines:
        raise SystemExit(f"{command} ended with {made.returncode}:\n{made.stdout[-2000:]}\n{made.stderr[-4000:]}")
    return json.loads(lines[-1])


class Work:
    def __init__(self, options, directory):
        self.options, self.directory = options, pathlib.Path(directory)

    def ours(self, *more, kind="bfloat16"):
        o = self.options
        return output([ROOT / "bench/run", "TrainingBench", "--model", self.directory / "model", "--batches",
                       self.directory / "batches", "--type", kind, "--warmup", o.warmup, "--steps", o.steps,
                       "--lora", o.lora, *more])

    def theirs(self, kind, *more):
        o = self.options
        return output([sys.executable, __file__, "peer", "--kind", kind, "--model", self.directory / "model", "--batches",
                       self.directory / "batches", "--warmup", o.warmup, "--steps", o.steps, "--lora", o.lora, *more])


def median(rows, name, field):
    return statistics.median(row[name][field] for row in rows)


def ratio(rows, one, other, field):
    return statistics.median(row[one][field] / row[other][field] for row in rows)


def speed(work):
    kinds = ["trainer", "best"] if not work.options.lora else ["best"]
    pack = work.options.tokens if work.options.what == "mix" else 0
    rows = []
    for pair in range(work.options.pairs):
        row = {"tidemill": work.ours("--pack", pack, "--products", "true")}
        row.update({kind: work.theirs(kind) for kind in kinds})
        rows.append(row)
        print(f"# pair {pair + 1}: " + ", ".join(
            f"{name} {value['tokens_per_cpu_second']:.0f}" for name, value in row.items()), file=sys.stderr, flush=True)
    print("| | tokens per CPU-second | ours is so many times as fast |\n|---|---|---|")
    for name in rows[0]:
        print(f"| {name} | {median(rows, name, 'tokens_per_cpu_second'):.0f} | "
              f"{ratio(rows, 'tidemill', name, 'tokens_per_cpu_second'):.2f} |")
    used = statistics.median(row["tidemill"]["tokens"] / row["tidemill"]["positions"] for row in rows)
    print(f"\nours: {100 * used:.1f} % of positions used; {median(rows, 'tidemill', 'gflops'):.0f} GFLOP/s (6 N per token "
          f"and 6 L T H D for attention) of {median(rows, 'tidemill', 'product_gflops'):.0f} that the products of the step "
          f"alone reach in the same process: {100 * median(rows, 'tidemill', 'share'):.0f} %")


def losses(work):
    runs = {"tidemill bfloat16": work.ours("--losses", "true"),
            "tidemill float32": work.ours("--losses", "true", kind="float32"),
            "best32": work.theirs("best32"), "best": work.theirs("best")}
    print("| | first loss | mean of the last 20 | difference from transformers in float32 | last step alone |\n"
          "|---|---|---|---|---|")
    reference = runs["best32"]["losses"]
    for name, run in runs.items():
        tail, of_reference = run["losses"][-20:], reference[-20:]
        print(f"| {name} | {run['losses'][0]:.4f} | {statistics.mean(tail):.4f} | "
              f"{statistics.mean(tail) - statistics.mean(of_reference):+.4f} | {tail[-1] - of_reference[-1]:+.4f} |")


def memory(work):
    rows = []
    for pair in range(work.options.pairs):
        row = {"tidemill": work.ours(), "best": work.theirs("best", "--memory")}
        row["tidemill float32"] = work.ours(kind="float32")
        row["best32"] = work.theirs("best32", "--memory")
        rows.append(row)
        print(f"# pair {pair + 1}: " + ", ".join(
            f"{name} {value['step_mib']:.0f} MiB" for name, value in row.items()), file=sys.stderr, flush=True)
    print("| | held before, MiB | a step above it, MiB | share of the plain one's | CPU-seconds a step | of the plain one's |\n"
          "|---|---|---|---|---|---|")
    for name, plain in (("tidemill", "best"), ("best", "best"), ("tidemill float32", "best32"), ("best32", "best32")):
        print(f"| {name} | {median(rows, name, 'held_mib'):.0f} | {median(rows, name, 'step_mib'):.0f} | "
              f"{ratio(rows, name, plain, 'step_mib'):.2f} | {median(rows, name, 'cpu_seconds') / work.options.steps:.2f} | "
              f"{ratio(rows, name, plain, 'cpu_seconds'):.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "mix", "losses", "memory", "peer"])
    parser.add_argument("--shape", default="medium", choices=["base", "medium", "smol"])
    parser.add_argument("--vocabulary", type=int, help="another one than the shape's; 152000 for memory")
    parser.add_argument("--rows", type=int, help="rows of a batch, examples for mix; 4, 16 for mix")
    parser.add_argument("--tokens", type=int, default=512, help="tokens per row")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--warmup", type=int, help="steps before measuring; 2, none for losses")
    parser.add_argument("--steps", type=int, help="steps measured; 5, 500 for losses, 2 for memory")
    parser.add_argument("--lora", type=int, default=0, help="rank of an adapter on all linear layers; 0, all weights learn")
    parser.add_argument("--kind", choices=["trainer", "best", "best32"], help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--batches", help=argparse.SUPPRESS)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    what = options.what
    if what == "peer":
        return peer(options)
    options.rows = options.rows or (16 if what == "mix" else 4)
    options.warmup = options.warmup if options.warmup is not None else (0 if what == "losses" else 2)
    options.steps = options.steps or {"losses": 500, "memory": 2}.get(what, 5)
    options.vocabulary = options.vocabulary or (152_000 if what == "memory" else None)
    with tempfile.TemporaryDirectory() as directory:
        work = Work(options, directory)
        vocabulary = write_model(options.shape, options.vocabulary, work.directory / "model")
        steps = options.warmup + options.steps
        lengths = (mixed(steps, options.rows, options.tokens) if what == "mix"
                   else [[options.tokens] * options.rows] * steps)
        write_batches(work.directory / "batches", lengths, vocabulary)
        print(f"{json.dumps({k: v for k, v in vars(options).items() if v is not None})}\n", flush=True)
        {"speed": speed, "mix": speed, "losses": losses, "memory": memory}[what](work)
    return None


if __name__ == "__main__":
    main()
