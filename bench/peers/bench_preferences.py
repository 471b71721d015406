#!/usr/bin/env python3
"""Direct preference optimisation, Tidemill beside TRL, in one run: goal P6.

    python bench/peers/bench_preferences.py speed  [--shape medium] [--per-step 8] [--lora 8]     pairs per CPU-second
    python bench/peers/bench_preferences.py losses [--shape medium] [--steps 20]                  same losses

Every measurement is a process of its own with one thread, and they alternate; a figure is the median of the rounds (7
unless --rounds says otherwise), a ratio the median of the rounds' ratios. Time is CPU-seconds of the process, of the steps
alone. Both sides start from one directory of random weights, read the same file of pairs, `--per-step` a step in its order,
and use AdamW (0.9, 0.999, 1e-8, no decay, rate 1e-5 without a schedule), clipping to norm 1, beta 0.1, the sigmoid loss.
Pairs are synthetic: prompts of 60 to 200 tokens and answers of 20 to 80, uniform, from a Markov source. Ours are:

    tidemill            bfloat16; prompts shared, rows packed, the reference's log-probabilities given, as those are that were
                        logged at serving
    tidemill computed   the same, each step asks the reference too, as a round does once
    tidemill apart      given, but each answer reads its prompt again

The peers:

    trl       DPOTrainer as it comes: bfloat16 autocast, gradient checkpointing, the reference asked in each step; logging,
              saving and the progress bar are off
    trl kept  the same without gradient checkpointing
    trl32     float32 without gradient checkpointing: what losses are held against
"""

import argparse
import json
import pathlib
import random
import statistics
import sys
import tempfile
import time

from bench_training import ROOT, SHAPES, median, output, ratio, write_model

RATE, BETAS, EPSILON, BETA = 1e-5, (0.9, 0.999), 1e-8, 0.1
EOS = 2
OURS = {"tidemill": [], "tidemill computed": ["--reference", "computed"], "tidemill apart": ["--share", "false"]}


def write_pairs(file, steps, per_step, vocabulary):
    source = random.Random(11)
    states = source.sample(range(8, vocabulary), 512)
    after = {state: source.choices(states, k=8) for state in states}

    def text(length):
        token = source.choice(states)
        made = [token]
        while len(made) < length:
            token = source.choice(after[token])
            made.append(token)
        return made

    def line(ids):
        return " ".join(map(str, ids))

    with open(file, "w") as out:
        for _ in range(steps):
            out.write(";".join(
                ",".join([line(text(source.randint(60, 200))), *(line([*text(source.randint(20, 80) - 1), EOS]) for _ in "cr")])
                for _ in range(per_step)) + "\n")


# ---- one measurement of the peer, in a process of its own ------------------------------------------------------------

def tokenizer(vocabulary):
    """A word per token, so that text is ids."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {f"t{i}": i for i in range(vocabulary)}
    del words[f"t{EOS}"]
    words["</s>"] = EOS
    made = Tokenizer(models.WordLevel(words, unk_token="t0"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens([AddedToken("</s>", special=True)])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", pad_token="t0")


def words(ids):
    return " ".join(f"t{i}" for i in ids.split() if int(i) != EOS)


def peer(options):
    import torch
    from datasets import Dataset
    from transformers import LlamaForCausalLM, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    torch.set_num_threads(1)
    marks, losses = [], []

    class Clock(TrainerCallback):
        def on_step_end(self, *_, **__):
            marks.append(time.process_time())

    class Recorded(DPOTrainer):
        def compute_loss(self, *arguments, **named):
            loss = super().compute_loss(*arguments, **named)
            losses.append(loss.item())
            return loss

    steps = options.warmup + options.steps
    lines = open(options.pairs).read().splitlines()[:steps]
    rows = []
    for pair in ";".join(lines).split(";"):
        prompt, chosen, rejected = pair.split(",")
        rows.append({"prompt": words(prompt), "chosen": " " + words(chosen), "rejected": " " + words(rejected)})
    model = LlamaForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    adapter = None
    if options.lora:
        from peft import LoraConfig
        adapter = LoraConfig(r=options.lora, lora_alpha=2 * options.lora, target_modules="all-linear", task_type="CAUSAL_LM")
    kept = {} if options.kind == "trl" else {"gradient_checkpointing": False}
    with tempfile.TemporaryDirectory() as directory:
        trainer = Recorded(
            model=model, train_dataset=Dataset.from_list(rows), processing_class=tokenizer(model.config.vocab_size),
            peft_config=adapter, callbacks=[Clock()],
            args=DPOConfig(
                output_dir=directory, use_cpu=True, per_device_train_batch_size=options.per_step, max_steps=steps,
                train_sampling_strategy="sequential", learning_rate=RATE, lr_scheduler_type="constant", adam_beta1=BETAS[0],
                adam_beta2=BETAS[1], adam_epsilon=EPSILON, weight_decay=0.0, max_grad_norm=1.0, beta=BETA,
                bf16=options.kind != "trl32", logging_strategy="no", save_strategy="no", report_to=[], disable_tqdm=True,
                **kept))
        trainer.train()
    seconds = marks[-1] - marks[options.warmup - 1]
    pairs = options.steps * options.per_step
    print(json.dumps({"tool": options.kind, "pairs": pairs, "cpu_seconds": seconds,
                      "pairs_per_cpu_second": pairs / seconds, "losses": losses}), flush=True)


# ---- both, alternating -----------------------------------------------------------------------------------------------

class Work:
    def __init__(self, options, directory):
        self.options, self.directory = options, pathlib.Path(directory)

    def files(self):
        return ["--model", self.directory / "model", "--pairs", self.directory / "pairs",
                "--warmup", self.options.warmup, "--steps", self.options.steps, "--lora", self.options.lora]

    def ours(self, *more):
        return output([ROOT / "bench/run", "PreferenceBench", *self.files(), *more])

    def theirs(self, kind):
        return output([sys.executable, __file__, "peer", "--kind", kind, "--per-step", self.options.per_step, *self.files()])


def speed(work):
    rows = []
    for turn in range(work.options.rounds):
        row = {name: work.ours(*settings) for name, settings in OURS.items()}
        row.update({kind.replace("-", " "): work.theirs(kind) for kind in ("trl", "trl-kept")})
        rows.append(row)
        print(f"# round {turn + 1}: " + ", ".join(
            f"{name} {value['pairs_per_cpu_second']:.2f}" for name, value in row.items()), file=sys.stderr, flush=True)
    print("| | pairs per CPU-second | of trl as it comes | of trl kept |\n|---|---|---|---|")
    for name in rows[0]:
        field = "pairs_per_cpu_second"
        print(f"| {name} | {median(rows, name, field):.2f} | {ratio(rows, name, 'trl', field):.2f} | "
              f"{ratio(rows, name, 'trl kept', field):.2f} |")


def losses(work):
    runs = {"trl32": work.theirs("trl32"), "trl": work.theirs("trl")}
    for kind in ("float32", "bfloat16"):
        for name, settings in OURS.items():
            runs[f"{name}, {kind}"] = work.ours("--losses", "true", "--type", kind, *settings)
    reference = runs["trl32"]["losses"]
    print("| | first loss | last loss | farthest from trl32 at any step |\n|---|---|---|---|")
    for name, run in runs.items():
        farthest = max(abs(a - b) for a, b in zip(run["losses"], reference, strict=True))
        print(f"| {name} | {run['losses'][0]:.5f} | {run['losses'][-1]:.5f} | {farthest:.1e} |")
    if work.options.lora:
        print("\nThe adapters begin at different random A, so only the first loss can be the same")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "losses", "peer"])
    parser.add_argument("--shape", default="medium", choices=sorted(SHAPES))
    parser.add_argument("--per-step", type=int, default=8, help="pairs of an optimizer step")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--warmup", type=int, default=1, help="steps before measuring")
    parser.add_argument("--steps", type=int, help="steps measured; 4, 20 for losses")
    parser.add_argument("--lora", type=int, default=0, help="rank of an adapter on all linear layers; 0, all weights learn")
    parser.add_argument("--kind", choices=["trl", "trl-kept", "trl32"], help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--pairs", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.steps = options.steps or (20 if options.what == "losses" else 4)
    if options.what == "peer":
        return peer(options)
    with tempfile.TemporaryDirectory() as directory:
        work = Work(options, directory)
        vocabulary = write_model(options.shape, None, work.directory / "model")
        write_pairs(work.directory / "pairs", options.warmup + options.steps, options.per_step, vocabulary)
        print(f"{json.dumps({k: v for k, v in vars(options).items() if v is not None})}\n", flush=True)
        {"speed": speed, "losses": losses}[options.what](work)
    return None


if __name__ == "__main__":
    main()
