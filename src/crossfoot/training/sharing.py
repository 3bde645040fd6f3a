"""Which way of sharing prefixes a model takes, found out by trying it.

``choose_way(model)`` goes by the kinds of layer that the model's cache has, then computes a small
tree both ways: a model that ignores a mask, or whose cache cannot be continued, falls back to rows.
"""

from __future__ import annotations

import random
from typing import Any

import torch

from crossfoot.models.forking import ATTENTION, RECURRENT, layer_classes
from crossfoot.targets.rows import Row
from crossfoot.training.attention import NAME
from crossfoot.training.logprobs import (
    Way,
    computed_in,
    prepare,
    target_logprobs,
    text_config,
)
from crossfoot.training.shortage import is_shortage
from crossfoot.training.tree import grow

# Mean difference of log-probabilities; a token that sees what it should not differs far more.
TOLERANCE = 1e-3
# In 16 bits: as a share of what it makes to see another branch (the embedded model: 0.03 to 0.12).
HALF_SHARE = 0.3


def choose_way(model: Any, dtype: torch.dtype = torch.float32) -> tuple[Way, str]:
    """The way, and a line that says why; the model is left ready for it.

    ``dtype`` is what training computes in, by autocast where it is half of float32.
    """
    reasons = []
    given = text_config(model)._attn_implementation
    for way in candidates(model):
        difference = _difference_to_rows(model, way, dtype)
        if isinstance(difference, float):
            return way, _WHY[way]
        reasons.append(f"{way}: {difference}")
        model.set_attn_implementation(given)
    if not reasons:
        kinds = sorted(kind.__name__ for kind in layer_classes(text_config(model)))
        reasons.append(f"cannot share a cache of {', '.join(kinds)}")
    return "rows", f"rows one by one, as this model {'; '.join(reasons)}"


_WHY: dict[Way, str] = {
    "tree": "shared prefixes: each page once, its conversations as branches of a tree",
    "fork": "shared prefixes: each page once, its conversations from a forked cache",
}


def candidates(model: Any) -> list[Way]:
    """Ways that fit the layers and the attention of a model, the fastest first."""
    config = text_config(model)
    kinds = layer_classes(config)
    if kinds <= set(ATTENTION):
        replaceable = config._attn_implementation in ("sdpa", "eager", NAME)
        return ["tree", "fork"] if replaceable else ["fork"]
    return ["fork"] if kinds <= {*ATTENTION, *RECURRENT} else []


def _difference_to_rows(model: Any, way: Way, dtype: torch.dtype) -> float | str:
    """Mean difference on a small random tree, or what is wrong."""
    draw = random.Random(0)
    vocabulary = min(text_config(model).vocab_size, 1000)
    ids = tuple(draw.randrange(vocabulary) for _ in range(40))
    first, second = Row("", ids[:16], ids[24:30]), Row("", ids[:24], ids[30:])
    tree = grow([first, second])
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), computed_in(dtype, next(model.parameters()).device):
            (rows,) = target_logprobs(model, [tree], "rows")
            bound = TOLERANCE if _is_exact(model, dtype) else _bound(model, first, second, rows)
            prepare(model, way)
            (found,) = target_logprobs(model, [tree], way)
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        if is_shortage(error):
            raise
        return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    finally:
        model.train(training)
    difference = float((found - rows).abs().mean())
    return difference if difference < bound else f"differs by {difference:.2g}"


def _is_exact(model: Any, dtype: torch.dtype) -> bool:
    """Whether nothing is held or computed in less than 32 bits, 4-bit weights included."""
    dtypes = {dtype, *(parameter.dtype for parameter in model.parameters())}
    return dtypes <= {torch.float32, torch.float64}


def _bound(model: Any, first: Row, second: Row, rows: torch.Tensor) -> float:
    """A part of the difference that it makes if the second branch sees the first one's tokens."""
    seeing = Row("", second.prompt_ids + first.completion_ids, second.completion_ids)
    (found,) = target_logprobs(model, [grow([seeing])], "rows")
    return HALF_SHARE * float((found - rows[-len(found) :]).abs().mean())
