"""One clear line where memory ran out: what to change, in which order, and what is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from crossfoot.errors import ModelError
from crossfoot.training.recipe import Recipe

_SHORTAGES = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


def is_shortage(error: BaseException | None) -> bool:
    """Whether memory ran out, on a GPU or on the CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _SHORTAGES)


@contextlib.contextmanager
def explained_shortage(
    recipe: Recipe,
    output: Path,
    *,
    loading: bool = False,
    kept: Callable[[], Path | None] = lambda: None,
) -> Iterator[None]:
    """Turns running out of memory into one line: what to change, and which checkpoint is kept."""
    try:
        yield
    except (MemoryError, RuntimeError, ModelError) as error:
        if not is_shortage(error) and not is_shortage(error.__cause__):
            raise
        what = "load this model" if loading else "train by this recipe"
        advice = ", or ".join(levers(recipe, loading))
        if not loading:
            advice += f"; {_what_is_kept(kept())}"
        raise ModelError(f"not enough memory to {what}", file=output, advice=advice) from error


def levers(recipe: Recipe, loading: bool = False) -> list[str]:
    """What this recipe can still do to need less memory, the least painful first."""
    found = []
    if recipe.batch_tokens > 1024 and not loading:
        found.append(f"lower batch_tokens ({recipe.batch_tokens} in a micro-batch)")
    if not recipe.checkpointing and not loading:
        found.append("set trainer.gradient_checkpointing=true (slower)")
    if recipe.adapter.method != "qlora":
        found.append("set adapter.method=qlora (4-bit base weights)")
    if not loading:
        found.append(
            f"lower max_tokens ({recipe.max_tokens}; conversations with longer rows are left out "
            "whole and reported, no target is cut)"
        )
    return [*found, "take a smaller model"]


def _what_is_kept(checkpoint: Path | None) -> str:
    if checkpoint is None:
        return "there is no checkpoint yet: remove this folder, or choose another --output"
    return (
        f"{checkpoint.name} is kept: --resume goes on from it with this recipe, also with "
        "gradient_checkpointing switched on; any other change needs another --output"
    )
