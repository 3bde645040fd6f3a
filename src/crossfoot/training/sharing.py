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
from crossfoot.training.logprobs import Way, prepare, target_logprobs, text_config
from crossfoot.training.tree import grow

# Mean difference of log-probabilities; a token that sees what it should not differs far more.
TOLERANCE = 1e-3
HALF_TOLERANCE = 0.1


def choose_way(model: Any) -> tuple[Way, str]:
    """The way, and a line that says why; the model is left ready for it."""
    reasons = []
    given = text_config(model)._attn_implementation
    for way in candidates(model):
        difference = _difference_to_rows(model, way)
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


def _difference_to_rows(model: Any, way: Way) -> float | str:
    """Mean difference on a small random tree, or what is wrong."""
    draw = random.Random(0)
    vocabulary = min(text_config(model).vocab_size, 1000)
    ids = [draw.randrange(vocabulary) for _ in range(40)]
    prompt, longer = tuple(ids[:16]), tuple(ids[:24])
    tree = grow([Row("", prompt, tuple(ids[24:30])), Row("", longer, tuple(ids[30:]))])
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            (rows,) = target_logprobs(model, [tree], "rows")
            prepare(model, way)
            (found,) = target_logprobs(model, [tree], way)
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    finally:
        model.train(training)
    difference = float((found - rows).abs().mean())
    return difference if difference < _tolerance(model) else f"differs by {difference:.2g}"


def _tolerance(model: Any) -> float:
    """The wide one where any weight is held in less than 32 bits, 4-bit ones included.

    Around 4-bit weights all else is held in float32, but they are multiplied in half precision.
    """
    single = {torch.float32, torch.float64}
    dtypes = {parameter.dtype for parameter in model.parameters()}
    return TOLERANCE if dtypes <= single else HALF_TOLERANCE
