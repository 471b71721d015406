#!/usr/bin/env python3
"""Measures programs of `./tidemill program` on a GPU or a CPU, beside transformers on the same weights in the same run.

    python bench/gpu/measure.py --device cuda smol.pt 1b.pt

For each archive: checks logits, loss and gradients against transformers (exit status 1 if one is off), trains both on the
same batches, generates with both, and prints one JSON object a figure and a table at the end. README.md says what is in it.
Needs torch and transformers, nothing else.
"""

import argparse
import gc
import json
import pathlib
import statistics
import sys
import time

import torch
import transformers

from program import Program, Weights

# Largest ||ours - theirs|| / ||theirs||; theirs in float32 always. transformers' own distance in bfloat16 stands beside.
LIMITS = {
    "float32": dict(logits=1e-4, loss=1e-4, gradients=1e-4),
    "bfloat16": dict(logits=2e-2, loss=2e-2, gradients=5e-2),
}
NEAR_TIE = 1e-3  # of two logits: greedy tokens may part there


class Report:
    """Figures as JSON lines, kept for the table; failures, kept for the exit status."""

    def __init__(self, path):
        self.file = open(path, "w") if path else None
        self.rows = []
        self.failures = []

    def add(self, **figure):
        line = json.dumps({k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in figure.items()})
        print(line, flush=True)
        if self.file:
            print(line, file=self.file, flush=True)
        self.rows.append(figure)

    def require(self, holds: bool, what: str):
        if not holds:
            self.failures.append(what)


class Machine:
    """Time and memory of a device."""

    def __init__(self, device: str):
        self.cuda = device.startswith("cuda")
        self.device = device

    def seconds(self, work) -> float:
        """Wall time on a GPU; CPU-seconds of this process on a CPU, which others may keep busy."""
        clock = time.perf_counter if self.cuda else time.process_time
        self.wait()
        start = clock()
        work()
        self.wait()
        return clock() - start

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def forget(self):
        gc.collect()
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        else:
            clear = pathlib.Path("/proc/self/clear_refs")
            if clear.exists():
                clear.write_text("5")

    def peak_gb(self) -> float:
        """Most that tensors took since `forget`; on a CPU the whole process's resident set, if Linux tells."""
        if self.cuda:
            return torch.cuda.max_memory_allocated() / 1e9
        status = pathlib.Path("/proc/self/status")
        if not status.exists():
            return float("nan")
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9

    def product_rate(self, type: torch.dtype) -> float:
        """FLOP/s of a square matrix product of random numbers: what steps are held against."""
        n = 8192 if self.cuda else 1024
        a = torch.randn(n, n, device=self.device).to(type)
        b = torch.randn(n, n, device=self.device).to(type)
        for _ in range(3):
            a @ b
        return 2 * n**3 / statistics.median(self.seconds(lambda: a @ b) for _ in range(10))


def batches(config: dict, rows: int, tokens: int, count: int, device: str) -> list:
    """Text that can be learned: three tokens in four follow from the one before, of at most 512 different ones."""
    generator = torch.Generator().manual_seed(11)
    kinds = min(512, config["vocab_size"])
    follows = torch.randperm(kinds, generator=generator)
    made = []
    for _ in range(count):
        ids = torch.randint(kinds, (rows, tokens), generator=generator)
        random = torch.rand(rows, tokens, generator=generator) < 0.25
        for t in range(1, tokens):
            ids[:, t] = torch.where(random[:, t], ids[:, t], follows[ids[:, t - 1]])
        made.append(ids.to(device))
    return made


def peer_loss(network, ids, narrow: bool):
    with torch.autocast(ids.device.type, dtype=torch.bfloat16, enabled=narrow):
        return network(input_ids=ids, labels=ids, use_cache=False).loss


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a.detach().double(), b.detach().double()
    return float((a - b).norm() / b.norm())


# ---- checks -------------------------------------------------------------------------------------------------------------


def check(program: Program, report: Report, name: str, rows: int, tokens: int) -> None:
    network = program.peer(seed=3)
    state = {k: v.detach() for k, v in network.named_parameters()}
    ids = batches(program.config, rows, tokens, 1, program.device)[0]

    with torch.no_grad():
        logits = network(input_ids=ids[:1], use_cache=False).logits[0].float()
    loss = peer_loss(network, ids, False)
    loss.backward()
    gradients = program.flatten({k: p.grad for k, p in network.named_parameters()})
    network.zero_grad()
    peer_narrow = peer_loss(network, ids, True)
    peer_narrow.backward()
    of_peer = apart(program.flatten({k: p.grad for k, p in network.named_parameters()}), gradients)
    network.zero_grad(set_to_none=True)

    for type in ("float32", "bfloat16"):
        weights = Weights(program, program.flatten(state), type == "bfloat16")
        ours = weights.logits(ids[0])
        figure = dict(
            logits=apart(ours, logits),
            loss=apart(weights.accumulate(ids), loss),
            gradients=apart(weights.gradients, gradients),
        )
        if type == "bfloat16":
            figure["gradients of transformers in bfloat16"] = of_peer
        report.add(figure="check", model=name, type=type, **figure)
        for what, limit in LIMITS[type].items():  # written so that what is not a number fails
            report.require(figure[what] <= limit, f"{name} {type}: {what} are {figure[what]:.2e} apart")
        if type == "float32":
            check_tokens(weights, network, ids[:2, : max(2, tokens // 2)].contiguous(), report, name)
        del weights


def check_tokens(weights: Weights, network, prompts, report: Report, name: str) -> None:
    """Greedy tokens, float32: the same up to a near-tie of the two likeliest, which is told."""
    count = min(24, weights.program.positions - prompts.size(1))
    ours = weights.generate(prompts, count)
    with torch.no_grad():
        theirs = network(input_ids=torch.cat([prompts, ours], 1), use_cache=False).logits[:, prompts.size(1) - 1 : -1]
    best = theirs.argmax(-1)
    gap = theirs.max(-1).values - theirs.gather(2, ours.unsqueeze(2)).squeeze(2)
    figure = dict(tokens=ours.numel(), same=int((best == ours).sum()), largest_gap=float(gap.max()))
    report.add(figure="greedy", model=name, type="float32", **figure)
    report.require(figure["largest_gap"] <= NEAR_TIE, f"{name}: a token has a logit {figure['largest_gap']:.2e} too low")


# ---- training -----------------------------------------------------------------------------------------------------------


class Ours:
    def __init__(self, program: Program, state: dict, narrow: bool, rate: float, again: bool):
        self.weights = Weights(program, program.flatten(state), narrow)
        self.rate = rate
        self.again = again

    def step(self, ids):
        loss = self.weights.accumulate(ids, self.again)
        self.weights.update(self.rate)
        return loss


class Theirs:
    """transformers in its best setting: SDPA, fused AdamW, and bfloat16 by autocast."""

    def __init__(self, program: Program, state: dict, narrow: bool, rate: float):
        self.network = program.peer(seed=3).train()
        self.network.load_state_dict(state, strict=False)
        self.narrow = narrow
        parameters = list(self.network.parameters())
        groups = [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), eps=1e-8, fused=True)

    def step(self, ids):
        loss = peer_loss(self.network, ids, self.narrow)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()


def train(program, machine, report, name, types, rates, rows, tokens, steps, rounds, rate) -> None:
    state = {k: v.detach().cpu() for k, v in program.peer(seed=3).named_parameters()}
    data = batches(program.config, rows, tokens, steps, program.device)
    flops = program.flops_per_token(tokens) * rows * tokens
    for type in types:
        narrow = type == "bfloat16"
        makers = {
            "tidemill": lambda: Ours(program, state, narrow, rate, False),
            "tidemill, recomputed": lambda: Ours(program, state, narrow, rate, True),
            "transformers": lambda: Theirs(program, state, narrow, rate),
        }
        seconds, peaks, losses, without_memory = {}, {}, {}, set()
        for _ in range(rounds):
            for who, make in makers.items():  # alternating
                if who in without_memory:
                    continue
                machine.forget()
                try:
                    trained(make, machine, data, who, seconds, peaks, losses)
                except RuntimeError as failure:  # a program's is no OutOfMemoryError
                    if "out of memory" not in str(failure).lower():
                        raise
                    without_memory.add(who)
        for who in makers:
            figure = dict(figure="train", model=name, type=type, who=who, rows=rows, tokens=tokens)
            if who in without_memory:
                report.add(**figure, failed="out of memory")
                continue
            median = statistics.median(seconds[who])
            report.add(
                **figure,
                tokens_per_second=rows * tokens / median,
                share_of_product_rate=flops / median / rates[type],
                peak_gb=max(peaks[who]),
                first_loss=losses[who][0],
                last_loss=losses[who][-1],
            )
            report.require(losses[who][-1] < losses[who][0], f"{name} {type}: the loss of {who} does not fall")
        machine.forget()


def trained(make, machine, data, who, seconds, peaks, losses):
    """One round from the start: the first fifth of the steps warms up."""
    trainer = make()
    told = []
    for i, ids in enumerate(data):
        spent = machine.seconds(lambda: told.append(trainer.step(ids)))
        if i >= max(1, len(data) // 5):
            seconds.setdefault(who, []).append(spent)
    peaks.setdefault(who, []).append(machine.peak_gb())
    losses[who] = [float(loss) for loss in told]


# ---- generation ---------------------------------------------------------------------------------------------------------


def generate(program, machine, report, name, types, at_once, length, count, rounds) -> None:
    for type in types:
        narrow = type == "bfloat16"
        network = program.peer(seed=3).eval()
        weights = Weights(program, program.flatten(dict(network.named_parameters())), narrow, trains=False)
        network = network.to(torch.bfloat16 if narrow else torch.float32)
        for rows in at_once:
            prompts = batches(program.config, rows, length, 1, program.device)[0]
            mask = torch.ones_like(prompts)

            def theirs():
                with torch.no_grad():
                    network.generate(
                        input_ids=prompts, attention_mask=mask, do_sample=False, max_new_tokens=count,
                        min_new_tokens=count, pad_token_id=0,
                    )

            makers = {"tidemill": lambda: weights.generate(prompts, count), "transformers": theirs}
            for make in makers.values():
                make()
            seconds = {who: [] for who in makers}
            peaks = {who: 0.0 for who in makers}
            for _ in range(rounds):
                for who, make in makers.items():
                    machine.forget()
                    seconds[who].append(machine.seconds(make))
                    peaks[who] = max(peaks[who], machine.peak_gb())
            for who in makers:
                report.add(
                    figure="generate", model=name, type=type, who=who, rows=rows, prompt=length, tokens=count,
                    tokens_per_second=rows * count / statistics.median(seconds[who]), peak_gb=peaks[who],
                )
        del network, weights
        machine.forget()


# ---- the whole ----------------------------------------------------------------------------------------------------------


def table(report: Report) -> str:
    unit = report.rows[0]["unit"]
    lines = [f"| what | model | type | who | setting | {unit} | ratio | share of products | peak GB | loss |"]
    lines.append("|---" * 10 + "|")
    peers = {
        (r["figure"], r["model"], r["type"], r["rows"]): r.get("tokens_per_second")
        for r in report.rows
        if r.get("who") == "transformers"
    }
    for r in report.rows:
        if "who" not in r:
            continue
        setting = f"{r['rows']} x {r['tokens']}"
        head = f"| {r['figure']} | {r['model']} | {r['type']} | {r['who']} | {setting} | "
        if "failed" in r:
            lines.append(head + f"{r['failed']} | | | | |")
            continue
        peer = peers.get((r["figure"], r["model"], r["type"], r["rows"]))
        ratio = f"{r['tokens_per_second'] / peer:.2f}" if peer else "–"
        share = f"{r['share_of_product_rate']:.1%}" if "share_of_product_rate" in r else ""
        loss = f"{r['first_loss']:.3f} to {r['last_loss']:.3f}" if "first_loss" in r else ""
        lines.append(head + f"{r['tokens_per_second']:,.0f} | {ratio} | {share} | {r['peak_gb']:.2f} | {loss} |")
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM.pt", help="what ./tidemill program wrote, of decoders")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--types", default="bfloat16", help="of the measured products, by comma (default: %(default)s)")
    parser.add_argument("--rows", type=int, help="of a batch (default: 16; 8 above half a billion weights; 4 on a CPU)")
    parser.add_argument("--tokens", type=int, help="of a row (default: 1024, 64 on a CPU; at most the model's positions)")
    parser.add_argument("--steps", type=int, default=20, help="of a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of ours and theirs by turns (default: %(default)s)")
    parser.add_argument("--at-once", default="1,8,64", help="answers written together (default: %(default)s)")
    parser.add_argument("--answer", type=int, default=128, help="tokens of an answer (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=3e-4, help="learning rate (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="on a CPU (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="keeps the figures there as well")
    parser.add_argument("--only", choices=["check", "train", "generate"], help="one part of it")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error(f"--device {given.device}: this torch ({torch.__version__}) sees no CUDA device")
    return given


def main() -> int:
    given = arguments()
    torch.set_num_threads(given.threads)
    torch.backends.cuda.matmul.allow_tf32 = False  # float32 is float32, for both
    machine = Machine(given.device)
    report = Report(given.json)
    types = given.types.split(",")
    rates = {type: machine.product_rate(getattr(torch, type)) for type in types}
    report.add(
        figure="machine",
        device=torch.cuda.get_device_name() if machine.cuda else "cpu",
        torch=torch.__version__,
        transformers=transformers.__version__,
        unit="tokens per second" if machine.cuda else "tokens per CPU-second",
        **{f"{type}_products_tflops": rate / 1e12 for type, rate in rates.items()},
    )
    for archive in given.programs:
        name = pathlib.Path(archive).stem
        program = Program(archive, given.device)
        places = program.positions
        large = program.layout["length"] > 5e8
        rows = given.rows or (4 if not machine.cuda else 8 if large else 16)
        tokens = min(given.tokens or (1024 if machine.cuda else 64), places)
        if given.only in (None, "check"):
            check(program, report, name, min(rows, 2), min(tokens, 128))
            machine.forget()
        if given.only in (None, "train"):
            train(program, machine, report, name, types, rates, rows, tokens, given.steps, given.rounds, given.rate)
        if given.only in (None, "generate"):
            answer = min(given.answer, places // 2)
            at_once = [int(n) for n in given.at_once.split(",")]
            generate(program, machine, report, name, types, at_once, min(32, places // 2), answer, given.rounds)
    if any("who" in row for row in report.rows):
        print(table(report))
    for failure in report.failures:
        print("FAILED", failure)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
