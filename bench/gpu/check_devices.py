#!/usr/bin/env python3
"""Looks for tensors of a program that would be on the wrong device on a GPU, where there is none.

    python bench/gpu/check_devices.py PROGRAM.pt ...

Every tensor that the program is given claims to be on another device ("meta") and holds its numbers on the CPU. Each
operator of the program is run on those numbers, after it is looked whether its operands are on one device, as CUDA asks for;
what the program makes without naming a device is on the CPU and is found by that. All methods that train, score and
generate are run, the program taking the branches that it takes on a GPU. Operators that CUDA lacks are not found this way.
"""

import pathlib
import sys
import tempfile
import zipfile

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

import program as programs

AWAY = torch.device("meta")
# Operators of ATen that take operands on two devices: copies, and an index on the CPU into a tensor elsewhere.
MIXING = {"aten::copy_", "aten::_to_copy", "aten::to", "aten::index", "aten::index_put_", "aten::_local_scalar_dense"}


class Away(torch.Tensor):
    """Claims to be elsewhere; `here` holds the numbers."""

    @staticmethod
    def __new__(cls, here):
        made = torch.Tensor._make_wrapper_subclass(
            cls, here.size(), strides=here.stride(), storage_offset=here.storage_offset(), dtype=here.dtype,
            device=AWAY, requires_grad=False,
        )
        made.here = here
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operator, types, args=(), kwargs=None):
        return run(operator, args, kwargs or {})


class Everywhere(TorchDispatchMode):
    """For operators without operands: `device=` decides."""

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        return run(operator, args, kwargs or {})


calls = 0


def run(operator, args, kwargs):
    global calls
    calls += 1
    operands = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
    away = [x for x in operands if isinstance(x, Away)]
    # A 0-d tensor of the CPU goes with any device.
    here = [x for x in operands if not isinstance(x, Away) and x.dim() > 0]
    name = operator.name().split(".")[0]
    if away and here and name not in MIXING:
        shapes = [f"{'gpu' if isinstance(x, Away) else 'cpu'} {list(x.shape)}" for x in operands]
        raise RuntimeError(f"{operator.name()} got operands of two devices: {', '.join(shapes)}")

    target = kwargs.get("device")
    goes_away = bool(away) if target is None else torch.device(target) == AWAY
    plain = tree_map(lambda x: x.here if isinstance(x, Away) else x, (args, kwargs))
    if target is not None:
        plain[1]["device"] = torch.device("cpu")
    result = operator(*plain[0], **plain[1])
    if name.endswith("_"):  # changes its first operand, which the caller goes on with
        return args[0] if operator._schema.returns else None
    return tree_map(lambda x: Away(x) if goes_away and isinstance(x, torch.Tensor) else x, result)


def as_if_on_a_gpu(archive: str, directory: str) -> str:
    """The same program, which takes the device of the check for a GPU."""
    changed = pathlib.Path(directory, pathlib.Path(archive).name)
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("__torch__.py"):
                content = content.replace(b".is_cuda", b".is_meta")
            new.writestr(name, content)
    return str(changed)


def check(archive: str) -> int:
    with tempfile.TemporaryDirectory() as directory:
        program = programs.Program(as_if_on_a_gpu(archive, directory), "cpu")
    network = program.peer(seed=3)
    flat = program.flatten(dict(network.named_parameters()))
    vocabulary = program.config["vocab_size"]
    tokens = min(48, program.positions // 2)
    ids = torch.randint(vocabulary, (2, tokens), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        expected = network(input_ids=ids[:1]).logits[0]

    before = calls
    with Everywhere():
        program.device = AWAY
        for narrow in (False, True):
            weights = programs.Weights(program, Away(flat.clone()), narrow)
            logits = weights.logits(Away(ids[0]))
            off = float((logits.here - expected).norm() / expected.norm())
            if not off < (0.05 if narrow else 1e-4):
                raise RuntimeError(f"logits are {off:.2e} off: the check itself is wrong")
            for again in (False, True):
                weights.accumulate(Away(ids), again)
            weights.update(1e-3)
            scores(weights, Away(ids))
            for again in (False, True):
                answers(weights, Away(ids), again)
            weights.update(1e-3)
            weights.generate(Away(ids), 10)
            sampled(weights, Away(ids))
    return calls - before


def scores(weights, ids) -> None:
    """Packed rows: two examples in each."""
    rows, tokens = ids.shape
    half = tokens // 2
    positions = torch.arange(half, device=AWAY).repeat(2).expand(rows, tokens).contiguous()
    segments = torch.ones_like(ids)
    segments[:, half:] = 2
    none = weights.program.none()
    with torch.no_grad():
        weights.module.log_probabilities(weights.master, weights.compute, none, ids, positions, segments, ids)
    scale = torch.full([], 0.01, dtype=torch.float64, device=AWAY)
    noise = torch.zeros([rows, tokens, weights.program.layout["constants"]["hidden_size"]], device=AWAY)
    weights.module.causal_step(
        weights.master, weights.compute, weights.gradients, none, ids, positions, segments, ids, scale, noise,
        torch.tensor(False),
    )


def answers(weights, ids, again: bool) -> None:
    """Each row a prompt of half its tokens with two answers, which share it."""
    rows, tokens = ids.shape
    prompt, answer = tokens // 2, tokens // 4
    steps = torch.arange(answer, device=AWAY)
    own = torch.cat([torch.ones([prompt], dtype=torch.int64, device=AWAY), 2 + torch.arange(2, device=AWAY).repeat_interleave(answer)])
    continued = torch.cat([torch.full([prompt], -1, device=AWAY), torch.ones([2 * answer], dtype=torch.int64, device=AWAY)])
    positions = torch.cat([torch.arange(prompt, device=AWAY), prompt + steps, prompt + steps])
    length = positions.shape[0]
    segments = torch.stack([own, continued]).unsqueeze(1).expand(2, rows, length).contiguous()
    ids = ids[:, :length].contiguous()
    positions = positions.expand(rows, length).contiguous()
    places = torch.tensor([prompt - 1, prompt, prompt - 1, prompt + answer]).to(AWAY)
    targets = ids.view(-1)[places + 1]
    none = weights.program.none()
    with torch.no_grad():
        weights.module.answers(weights.master, weights.compute, none, ids, positions, segments, places, targets)
    batch = (ids, positions, segments, places, targets, none)
    first = (weights.master, weights.compute, weights.gradients, none)
    left = weights.module.answers_forward(*first, *batch, torch.tensor(again))
    slopes = torch.full([4], 0.01, device=AWAY)
    weights.module.answers_backward(*first, left, *batch, slopes, none, torch.tensor(again))


def sampled(weights, prompts) -> None:
    """All ways to choose, answers of two lengths, a stop token, a cache that grows and a row that moves."""
    module = weights.module
    with torch.no_grad():
        cache = module.new_cache(weights.compute, 2, 64, True)
        for row in range(2):
            module.prefill(weights.master, weights.compute, weights.packed, cache, row, prompts[row, : 8 - row])
        larger = module.new_cache(weights.compute, 4, 128, True)
        module.carry_over(cache, larger, 2, 7)
        last = torch.stack([prompts[0, 7], prompts[1, 6]])
        chances = torch.full([3, 2], 0.5, dtype=torch.float64, device=AWAY)
        settings = torch.tensor([[0.8, 5, 0.9, 0.01, 1.1], [0.0, 0, 1, 0, 1]], dtype=torch.float64).to(AWAY)
        for kind in (3, 2, 1, 0):
            module.generate(
                weights.master, weights.compute, weights.packed, larger, last, [7, 6], chances, settings, kind, [1]
            )
        module.move(larger, 1, 0, 7)


def main() -> int:
    for archive in sys.argv[1:]:
        print(f"{archive}: {check(archive):,} operators, each with its operands on one device")
    return 0 if len(sys.argv) > 1 else print(__doc__) or 2


if __name__ == "__main__":
    sys.exit(main())
