"""What a recipe will do, before it is done: rows, tokens, steps, memory, time. No weight is loaded.

``plan(load_recipe("recipes/convfinqa-smollm2-135m.yaml"))`` reads data, tokenizer and the model's
config only. Memory and time are estimates.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from crossfoot.models.loading import DTYPES, load_config
from crossfoot.training.batches import micro_batches
from crossfoot.training.data import Trees
from crossfoot.training.memory import Memory, estimate
from crossfoot.training.recipe import Recipe
from crossfoot.training.train import prepare, steps_of, training_arguments
from crossfoot.training.tree import Tree

# What a training reaches of the rate of plain matrix products. LoRA of the embedded model: 0.4,
# all its weights: 0.5 (289 and 238 tokens/s in bfloat16, two cores at 390 GFLOP/s).
EFFICIENCY = 0.4
PROBE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts are of one epoch; ``flops`` and ``seconds`` of the whole training."""

    conversations: int
    left_out: list[str]  # samples with a row longer than max_tokens
    evidence_cut: float  # share of gold operands that cutting to max_tokens would lose instead
    rows: int
    tokens: int
    row_tokens: int  # what the rows would cost one by one
    target_tokens: int
    held_out_conversations: int
    held_out_rows: int
    steps: int
    steps_per_epoch: int
    micro_batch_tokens: int  # of the largest
    memory: Memory
    device: str  # cpu or cuda, which the rest is about
    device_bytes: int  # free now
    gigaflops: float  # measured now, by matrix products of the recipe's dtype
    flops: float
    seconds: float

    @property
    def needed_bytes(self) -> int:
        """Estimated peak of memory on the device."""
        return self.memory.total(self.device)

    def as_json(self) -> dict[str, Any]:
        """One JSON document."""
        document = asdict(self) | {"memory": self.memory.as_json()}
        return document | {"needed_bytes": self.needed_bytes, "efficiency": EFFICIENCY}


def plan(recipe: Recipe) -> Plan:
    """The plan of a recipe on this machine; refuses what ``train`` would refuse."""
    arguments = training_arguments(recipe, Path("never-written"))
    config = load_config(recipe.model)
    prepared = prepare(recipe)
    trained = prepared.trained
    steps = steps_of(trained.trees, recipe, arguments)
    count = step_count(len(steps), arguments)
    heaviest = _heaviest(steps, recipe.batch_tokens)
    memory = estimate(recipe, config, heaviest, arguments.optim)
    epochs = count / max(len(steps), 1)
    flops = memory.flops * trained.tokens / sum(map(len, heaviest)) * epochs
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rate = _matmul_rate(device, recipe.dtype)
    return Plan(
        conversations=len(prepared.data.train),
        **_counts(trained),
        held_out_conversations=len(prepared.data.validation),
        held_out_rows=prepared.held_out.rows,
        steps=count,
        steps_per_epoch=len(steps),
        micro_batch_tokens=len(heaviest[0]) * len(heaviest),
        memory=memory,
        device=device,
        device_bytes=_free_bytes(device),
        gigaflops=rate / 1e9,
        flops=flops,
        seconds=flops / (EFFICIENCY * rate),
    )


def step_count(per_epoch: int, arguments: Any) -> int:
    """Optimizer steps of the whole training, as Trainer counts them."""
    if arguments.max_steps > 0:
        return int(arguments.max_steps)
    return math.ceil(per_epoch * float(arguments.num_train_epochs))


def _counts(trees: Trees) -> dict[str, Any]:
    return {
        "left_out": trees.left_out,
        "evidence_cut": trees.evidence_cut,
        "rows": trees.rows,
        "tokens": trees.tokens,
        "row_tokens": trees.row_tokens,
        "target_tokens": trees.targets,
    }


def _heaviest(steps: Sequence[Sequence[Tree]], tokens: int) -> list[Tree]:
    """The micro-batch with the most tokens, padding included."""
    batches = (batch for step in steps for batch in micro_batches(step, tokens))
    return max(batches, key=lambda batch: len(batch) * len(batch[0]))


def _free_bytes(device: str) -> int:
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)


def _matmul_rate(device: str, dtype: str) -> float:
    """Floating-point operations in a second of square matrix products, the best seen."""
    size = 4096 if device == "cuda" else 1024
    one = torch.ones(size, size, dtype=DTYPES[dtype], device=device)
    best = 0.0
    end = time.perf_counter() + PROBE_SECONDS
    while best == 0.0 or time.perf_counter() < end:
        started = time.perf_counter()
        float((one @ one)[0, 0])  # waits for a GPU
        best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best
