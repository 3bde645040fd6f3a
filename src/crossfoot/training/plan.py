"""What a recipe will do, before it is done: rows, tokens, steps, memory, time. No weight is loaded.

``plan(load_recipe("recipes/convfinqa-smollm2-135m.yaml"))`` reads data, tokenizer and the model's
config only. Memory and time are estimates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from crossfoot.models.loading import load_config
from crossfoot.training.arguments import keep_budget, training_arguments
from crossfoot.training.batches import micro_batches
from crossfoot.training.logprobs import Way
from crossfoot.training.machine import free_bytes
from crossfoot.training.memory import Memory, estimate, expected_way
from crossfoot.training.prepared import prepare, steps_of
from crossfoot.training.recipe import Recipe
from crossfoot.training.speed import EFFICIENCY, attention_seconds, matmul_rate
from crossfoot.training.tree import Tree


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts are of one epoch; ``flops`` and ``seconds`` of the whole training."""

    conversations: int
    left_out: list[str]  # samples with a row longer than max_tokens
    evidence_cut: float  # share of gold operands that cutting to max_tokens would lose instead
    quoted: int  # numbers that targets quote,
    guessed: int  # and those of them that stand in several places of their page
    rows: int
    tokens: int
    row_tokens: int  # what the rows would cost one by one
    target_tokens: int
    held_out_conversations: int
    held_out_rows: int
    steps: int
    steps_per_epoch: int
    micro_batch_tokens: int  # of the largest
    way: Way  # how prefixes are shared; the training tries it first, and falls back to rows
    checkpointing: bool  # activations are computed again in the backward pass
    memory: Memory
    device: str  # cpu or cuda, which the rest is about
    device_bytes: int  # free now
    gigaflops: float  # measured now, by matrix products of the recipe's dtype
    float32_gigaflops: float  # more only where the processor emulates the recipe's dtype
    flops: float  # of matrix products
    attention_seconds: float  # by timing one layer now
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
    keep_budget(arguments, recipe, steps)
    count = step_count(len(steps), arguments)
    heaviest = _heaviest(steps, recipe.batch_tokens)
    memory = estimate(recipe, config, heaviest, arguments.optim)
    epochs = count / max(len(steps), 1)
    flops = memory.flops * trained.tokens / sum(map(len, heaviest)) * epochs
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rate = matmul_rate(device, recipe.dtype)
    float32 = rate if recipe.dtype == "float32" else matmul_rate(device, "float32")
    attention = attention_seconds(recipe, config, trained.trees, device) * epochs
    return Plan(
        conversations=len(prepared.data.train),
        **trained.counts(),
        held_out_conversations=len(prepared.data.validation),
        held_out_rows=prepared.held_out.rows,
        steps=count,
        steps_per_epoch=len(steps),
        micro_batch_tokens=len(heaviest[0]) * len(heaviest),
        way=expected_way(recipe, config),
        checkpointing=recipe.checkpointing,
        memory=memory,
        device=device,
        device_bytes=free_bytes(device),
        gigaflops=rate / 1e9,
        float32_gigaflops=float32 / 1e9,
        flops=flops,
        attention_seconds=attention,
        seconds=flops / (EFFICIENCY * rate) + attention,
    )


def step_count(per_epoch: int, arguments: Any) -> int:
    """Optimizer steps of the whole training, as Trainer counts them."""
    if arguments.max_steps > 0:
        return int(arguments.max_steps)
    return math.ceil(per_epoch * float(arguments.num_train_epochs))


def _heaviest(steps: Sequence[Sequence[Tree]], tokens: int) -> list[Tree]:
    """The micro-batch with the most tokens, padding included."""
    batches = (batch for step in steps for batch in micro_batches(step, tokens))
    return max(batches, key=lambda batch: len(batch) * len(batch[0]))
