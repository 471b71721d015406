"""A program that `./tidemill program` wrote, in Python: where its weights lie, one training step, generation."""

import json
import math
import pathlib
import tempfile

import torch
from transformers import AutoConfig, AutoModelForCausalLM

IGNORED = -100


class Program:
    """The arithmetic and its shape; weights come with Weights."""

    def __init__(self, archive: str, device: str):
        extra = {"layout.json": "", "config.json": ""}
        self.module = torch.jit.load(archive, map_location=device, _extra_files=extra)
        self.layout = json.loads(extra["layout.json"])
        self.config = json.loads(extra["config.json"])
        self.device = torch.device(device)
        self.positions = self.transformers_config().max_position_embeddings
        if self.layout["format"] != 1:
            raise SystemExit(f"{archive}: format {self.layout['format']} of its layout is not known here, only 1")
        # As the engine runs it: what the profiling executor makes of a method costs more than it saves.
        torch._C._set_graph_executor_optimize(False)

    def none(self) -> torch.Tensor:
        """What stands for an adapter or segments that are not there."""
        return torch.zeros([0], device=self.device)

    def transformers_config(self):
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory, "config.json").write_text(json.dumps(self.config))
            return AutoConfig.from_pretrained(directory)

    def peer(self, seed: int):
        """transformers' model of this shape, random weights, float32. Norms are not 1, so that a forgotten one shows."""
        torch.manual_seed(seed)
        network = AutoModelForCausalLM.from_config(
            self.transformers_config(), attn_implementation="sdpa", dtype=torch.float32
        ).to(self.device)
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if parameter.dim() == 1:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        return network

    def flatten(self, tensors: dict) -> torch.Tensor:
        """One float32 tensor of a state dict, or of gradients by the same names."""
        flat = torch.empty(self.layout["length"], dtype=torch.float32, device=self.device)
        for slot in self.layout["tensors"]:
            tensor = tensors[slot["name"]]
            if list(tensor.shape) != slot["shape"]:
                raise SystemExit(f"{slot['name']} has shape {list(tensor.shape)} instead of {slot['shape']}")
            flat[slot["at"] : slot["at"] + tensor.numel()] = tensor.detach().reshape(-1)
        return flat

    def flops_per_token(self, tokens: int) -> int:
        """Of a training step: 6 for each weight that is multiplied with, and half of the attention matrix three times."""
        c = self.layout["constants"]
        multiplied = self.layout["length"] - self.layout["small"]
        if not c["tied"]:  # then the embedding is only looked up
            multiplied -= c["vocabulary"] * c["hidden_size"]
        multiplied -= c["places"] * c["hidden_size"]
        return 6 * multiplied + 6 * c["layers"] * tokens * c["heads"] * c["head_size"]


class Weights:
    """Flat master weights, what the products use, and, for training, gradients and moments."""

    def __init__(self, program: Program, master: torch.Tensor, narrow: bool, trains: bool = True):
        self.program = program
        self.module = program.module
        self.master = master
        self.compute = self.module.operands(master, torch.tensor(narrow))
        if trains:
            self.gradients = torch.zeros_like(master)
            self.mean = torch.zeros_like(master)
            self.square = torch.zeros_like(master)
            self.steps = torch.zeros([], device=master.device)

    def logits(self, ids: torch.Tensor) -> torch.Tensor:
        """float32 [T, V] of one sequence, ids int64 [T]."""
        positions = torch.arange(ids.numel(), device=ids.device).unsqueeze(0)
        with torch.no_grad():
            return self.module.logits(self.master, self.compute, self.program.none(), ids.unsqueeze(0), positions)

    def accumulate(self, ids: torch.Tensor, again: bool = False) -> torch.Tensor:
        """Adds the gradient of the mean loss of the next token, ids int64 [B, T]; returns that loss, 0-d, nats."""
        rows, tokens = ids.shape
        targets = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], IGNORED)], 1)
        positions = torch.arange(tokens, device=ids.device).expand(rows, tokens).contiguous()
        scale = torch.full([], 1.0 / (rows * (tokens - 1)), dtype=torch.float64, device=ids.device)
        none = self.program.none()
        total = self.module.causal_step(
            self.master, self.compute, self.gradients, none, ids, positions, none, targets, scale, none, torch.tensor(again)
        )
        return total * scale

    def update(self, rate: float, norm: float = 1.0, decay: float = 0.1) -> None:
        """Clips, and one step of AdamW with beta 0.9 and 0.95. Numbers stay on the CPU: nothing waits for them."""
        self.module.clip(self.gradients, torch.tensor(norm, dtype=torch.float64))
        small = self.program.layout["small"]
        large = self.master.numel() - small
        ranges = [0, large, 1.0, decay, large, small, 1.0, 0.0]
        numbers = torch.tensor([rate, 0.9, 0.95, 1e-8, *ranges], dtype=torch.float64)
        self.module.update(
            self.master, self.compute, self.gradients, self.mean, self.square, self.steps, numbers
        )

    def generate(self, prompts: torch.Tensor, count: int, at_once: int = 8) -> torch.Tensor:
        """Greedy tokens int64 [R, count] after prompts int64 [R, n], all rows together, `at_once` tokens a call."""
        rows, length = prompts.shape
        with torch.no_grad():
            if not hasattr(self, "packed"):
                self.packed = self.module.pack(self.compute)
            room = 2 ** math.ceil(math.log2(length + count))
            room = min(room, self.program.positions)
            cache = self.module.new_cache(self.compute, rows, room, False)
            for row in range(rows):
                self.module.prefill(self.master, self.compute, self.packed, cache, row, prompts[row])
            last = prompts[:, -1].contiguous()
            settings = torch.tensor([[0.0, 0, 1, 0, 1]] * rows, dtype=torch.float64, device=prompts.device)
            made = []
            while len(made) < count:
                n = min(at_once, count - len(made))
                filled = [length - 1 + len(made)] * rows
                chances = torch.zeros([n, rows], dtype=torch.float64, device=prompts.device)
                result = self.module.generate(
                    self.master, self.compute, self.packed, cache, last, filled, chances, settings, 0, []
                )
                tokens = result[0].to(torch.int64)
                made.extend(tokens)
                last = tokens[-1]
            return torch.stack(made, 1)
