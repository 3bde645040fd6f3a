"""How long a training takes on this machine, from a second of its matrix products and attention.

Attention over a tree is much slower for each operation than a matrix product (docs/log.md, entry
4), the more so the shorter the branches and the longer the page. So it is not counted but timed, on
one layer of one typical tree; what is left is counted, and divided by the rate of matrix products.
``benchmarks/training_time.py`` compares the sum with trainings. On a CPU the clock counts seconds
of its cores, so that other work on the machine does not show: estimates are for an idle one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import torch

from crossfoot.models.loading import DTYPES
from crossfoot.training.attention import attend, lay_out
from crossfoot.training.recipe import Recipe
from crossfoot.training.tree import Tree

# What a training without its attention reaches of the rate of plain matrix products; the rest are
# norms, copies, Python. recipes/convfinqa-smollm2-135m.yaml reached 0.16 in all on two cores, and
# attention takes 59% of the time (docs/log.md, entry 4).
EFFICIENCY = 0.4
EMULATED = 1.2  # times as fast in float32: not the clock's noise
PROBE_SECONDS = 0.5


def matmul_rate(device: str, dtype: str) -> float:
    """Floating-point operations in a second of square matrix products, the best seen."""
    size = 4096 if device == "cuda" else 1024
    one = torch.ones(size, size, dtype=DTYPES[dtype], device=device)
    # A number waits for a GPU.
    return 2 * size**3 / _best(lambda: float((one @ one)[0, 0]), clock_of(device))


def attention_seconds(recipe: Recipe, config: Any, trees: Sequence[Tree], device: str) -> float:
    """Seconds of the attention of all layers for ``trees``, forward and backward.

    One layer of a tree of median size is timed, and counted for the others by their tokens.
    """
    typical = sorted(trees, key=len)[len(trees) // 2]
    text = config.get_text_config()
    one = _one_layer(recipe, text, typical, device)
    return one * _attention_layers(text) * sum(map(len, trees)) / len(typical)


def _one_layer(recipe: Recipe, text: Any, tree: Tree, device: str) -> float:
    """Seconds of one layer's attention for one tree, as ``tree`` computes it."""
    heads = text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // heads
    shapes = [heads, *[getattr(text, "num_key_value_heads", None) or heads] * 2]
    states = [
        torch.randn(1, count, len(tree), width, device=device).to(DTYPES[recipe.dtype])
        for count in shapes
    ]
    module = SimpleNamespace(num_key_value_groups=shapes[0] // shapes[1], is_causal=True)
    layout = lay_out([tree])
    passes = 2 if recipe.checkpointing else 1

    def run() -> None:
        query, key, value = (state.detach().requires_grad_() for state in states)
        for _ in range(passes):
            output, _ = attend(module, query, key, value, None, tree=layout)
        output.sum().backward()
        float(query.grad[0, 0, 0, 0])  # waits for a GPU

    return _best(run, clock_of(device))


def _attention_layers(text: Any) -> int:
    """Layers that attend; recurrent ones are counted as matrix products."""
    kinds = getattr(text, "layer_types", None) or [""] * text.num_hidden_layers
    return sum("linear" not in kind for kind in kinds)


def clock_of(device: str) -> Callable[[], float]:
    """Seconds that this process would have taken on an idle machine."""
    if device == "cuda":
        return time.perf_counter
    threads = torch.get_num_threads()
    return lambda: time.process_time() / threads


def _best(run: Callable[[], object], clock: Callable[[], float]) -> float:
    """Seconds of the fastest of as many runs as fit the probe, two at least."""
    best = float("inf")
    end = time.perf_counter() + PROBE_SECONDS
    for done in range(10_000):
        started = clock()
        run()
        best = min(best, clock() - started)
        if done and time.perf_counter() > end:
            break
    return best
