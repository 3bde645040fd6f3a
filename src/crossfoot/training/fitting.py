"""Which recipes fit a machine, and with which micro-batch.

``fits(load_recipe(path), free_bytes, "cpu")`` estimates the memory of a micro-batch (memory.py) on
made-up rows of 1,024 tokens, at the recipe's ``batch_tokens`` and, where that is too much, at less.
No weight and no data are read; models that are not here are known by their shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from crossfoot.errors import CrossfootError
from crossfoot.models.loading import count_parameters, load_config
from crossfoot.models.shapes import SHAPES
from crossfoot.targets.rows import Row
from crossfoot.training.memory import PROCESS, Memory, estimate
from crossfoot.training.recipe import Recipe
from crossfoot.training.speed import attention_seconds
from crossfoot.training.tree import Tree, grow

ROW = 1024  # tokens
TARGET = 48  # of them bear loss
SHARED, OWN = 900, 100  # tokens of the page whose attention is timed: of all rows, of each
LEAST_BATCH = 1024
LEFT_FREE = 0.1  # of the free memory, for what else goes on


@dataclass(frozen=True, slots=True)
class Fit:
    """What a recipe needs; ``batch_tokens`` is None where not even a small micro-batch fits."""

    model: str
    parameters: int
    needed_bytes: int
    batch_tokens: int | None
    flops_per_token: float | None  # None where it was clear without counting


def fits(recipe: Recipe, free: int, device: str) -> Fit:
    """The largest micro-batch up to the recipe's own that ``free`` bytes hold."""
    config = config_of(recipe.model)
    parameters = count_parameters(config)
    room = free * (1 - LEFT_FREE)
    least = int(_least(recipe, parameters) + PROCESS[device])
    if least > room:
        return Fit(recipe.model, parameters, least, None, None)
    smallest = _fit(recipe, config, parameters, min(LEAST_BATCH, recipe.batch_tokens), device)
    if smallest.needed_bytes > room:  # known first, as small batches are soon counted
        return replace(smallest, batch_tokens=None)
    tokens = recipe.batch_tokens
    while tokens > LEAST_BATCH:
        fit = _fit(recipe, config, parameters, tokens, device)
        if fit.needed_bytes <= room:
            return fit
        tokens //= 2
    return smallest


def _fit(recipe: Recipe, config: Any, parameters: int, tokens: int, device: str) -> Fit:
    memory = _estimate(recipe, config, tokens)
    per_token = memory.flops / max(tokens, ROW)
    return Fit(recipe.model, parameters, memory.total(device), tokens, per_token)


def config_of(model: str) -> Any:
    """The config of a model: by its published shape where that is known, else its own."""
    return SHAPES[model]() if model in SHAPES else load_config(model)


def larger_model(than: str, free: int) -> str | None:
    """The largest known model above ``than`` that LoRA in bfloat16 could train in ``free`` bytes.

    Two bytes a weight, and half as much again for adapter and activations.
    """
    try:
        own = count_parameters(config_of(than))
    except CrossfootError:
        own = 0
    sizes = {name: count_parameters(shape()) for name, shape in SHAPES.items()}
    held = {name: size for name, size in sizes.items() if own < size and 3 * size < free}
    return max(held, key=lambda name: held[name], default=None)


def attention_per_token(recipe: Recipe, device: str) -> float:
    """Seconds of attention for a token of a page with a dozen rows, by timing one layer."""
    prompt = tuple(range(SHARED))
    page = grow([Row("", prompt, tuple(range(k * OWN, (k + 1) * OWN))) for k in range(1, 13)])
    return attention_seconds(recipe, config_of(recipe.model), [page], device) / len(page)


def _least(recipe: Recipe, parameters: int) -> int:
    """Bytes of weights, gradients and moments alone."""
    if recipe.adapter.method == "none":
        moments = 2 if "8bit" in str(recipe.trainer.get("optim", "")) else 8
        return parameters * (8 + moments)
    return parameters // 2 if recipe.adapter.method == "qlora" else 2 * parameters


def _estimate(recipe: Recipe, config: Any, tokens: int) -> Memory:
    rows = [
        Tree(
            tuple(range(ROW)),
            tuple(range(-1, ROW - 1)),
            (tuple(range(ROW - TARGET, ROW)),),
        )
    ] * max(tokens // ROW, 1)
    return estimate(recipe, config, rows, str(recipe.trainer.get("optim", "")))
