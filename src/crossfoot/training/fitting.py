"""Which recipes fit a machine, and with which micro-batch.

``fits(load_recipe(path), free_bytes, "cpu")`` estimates the memory of a micro-batch (memory.py) on
made-up rows of 1,024 tokens, at the recipe's ``batch_tokens``. Less of them saves memory down to
the longest page, which is a micro-batch of its own. No weight and no data are read (``crossfoot
train --dry-run`` reads them); models that are not here are known by their shapes.
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
LONGEST = 3400  # tokens of FinQA's longest page (3,392 of SmolLM2's), which no micro-batch divides
LESS_BATCH = 2048
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
    """The micro-batch that ``free`` bytes hold, where they hold the longest page."""
    config = config_of(recipe.model)
    parameters = count_parameters(config)
    room = free * (1 - LEFT_FREE)
    least = int(_least(recipe, parameters) + PROCESS[device])
    if least > room:
        return Fit(recipe.model, parameters, least, None, None)

    def fit(tokens: int, length: int) -> Fit:
        memory = _estimate(recipe, config, tokens, length)
        per_token = memory.flops / max(tokens, length)
        return Fit(recipe.model, parameters, memory.total(device), recipe.batch_tokens, per_token)

    short = fit(ROW, ROW)
    if short.needed_bytes > room:  # known first, as one short row is soon counted
        return replace(short, batch_tokens=None)
    if recipe.batch_tokens >= LONGEST:
        whole = fit(recipe.batch_tokens, ROW)
        if whole.needed_bytes <= room:
            return whole
    longest = max(min(LONGEST, recipe.max_tokens), ROW)
    page = fit(longest, longest)
    if page.needed_bytes > room:
        return replace(page, batch_tokens=None)
    return replace(page, batch_tokens=min(LESS_BATCH, recipe.batch_tokens))


def config_of(model: str) -> Any:
    """The config of a model: by its published shape where that is known, else its own."""
    return SHAPES[model]() if model in SHAPES else load_config(model)


def larger_model(recipe: Recipe, free: int) -> str | None:
    """The largest known model above the recipe's that its method could train in ``free`` bytes.

    A byte for each weight is for what activations and an adapter take beside ``_least``.
    """
    try:
        own = count_parameters(config_of(recipe.model))
    except CrossfootError:
        own = 0
    sizes = {name: count_parameters(shape()) for name, shape in SHAPES.items()}
    held = {
        name: size
        for name, size in sizes.items()
        if own < size and _least(recipe, size) + size < free
    }
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


def _estimate(recipe: Recipe, config: Any, tokens: int, length: int) -> Memory:
    """Of as many rows of that ``length`` as ``tokens`` hold."""
    row = Tree(
        tuple(range(length)), tuple(range(-1, length - 1)), (tuple(range(length - TARGET, length)),)
    )
    rows = [row] * max(tokens // length, 1)
    return estimate(recipe, config, rows, str(recipe.trainer.get("optim", "")))
