"""Which trees go into one optimizer step, one process, one micro-batch.

A step takes whole trees until it holds its number of rows; inside a step micro-batches are filled
up to a budget of tokens. All of it is a function of the trees, the seed and the number of
processes, so that an interrupted run goes on with the same steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import Sampler

from crossfoot.training.tree import Tree


def plan_steps(
    rows: Sequence[int], batch_rows: int, seed: int, *, drop_last: bool = False
) -> list[list[int]]:
    """Indices of the trees of each step, in random order, for trees of so many ``rows``.

    The n-th row of the epoch belongs to step n // batch_rows, and a tree to the step of its middle
    row, so that steps hold ``batch_rows`` rows on average and an epoch has as many steps as single
    rows would have. The last step may be smaller, unless ``drop_last``.
    """
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    steps: dict[int, list[int]] = {}
    before = 0
    for index in order:
        steps.setdefault((2 * before + rows[index] - 1) // (2 * batch_rows), []).append(index)
        before += rows[index]
    if drop_last:
        steps.pop(before // batch_rows, None)
    return list(steps.values())


def shares(trees: Sequence[Tree], processes: int) -> list[list[Tree]]:
    """A step's trees for each process, about equal in tokens; none is empty.

    Where there are fewer trees than processes, a process gets a tree without targets: every
    process has to take part in the exchange of gradients.
    """
    parts: list[list[Tree]] = [[] for _ in range(processes)]
    for tree in sorted(trees, key=len, reverse=True):
        min(parts, key=lambda part: sum(map(len, part))).append(tree)
    return [part or [idle(min(trees, key=len))] for part in parts]


def idle(tree: Tree) -> Tree:
    """A tree without targets: its pass is two tokens long, and its loss nothing."""
    return Tree(tree.ids, tree.parents, ())


def even_out(batches: list[list[Tree]], count: int) -> list[list[Tree]]:
    """``count`` micro-batches: idle ones before the others, so that the last has work."""
    return [[idle(batches[0][0])]] * (count - len(batches)) + batches


def micro_batches(trees: Sequence[Tree], tokens: int) -> list[list[Tree]]:
    """Trees of like length together, padded to at most ``tokens``; a longer tree goes alone."""
    batches: list[list[Tree]] = []
    for tree in sorted(trees, key=len, reverse=True):
        if batches and len(batches[-1][0]) * (len(batches[-1]) + 1) <= tokens:
            batches[-1].append(tree)
        else:
            batches.append([tree])
    return batches


class StepSampler(Sampler[int]):  # type: ignore[misc]
    """Steps in another order each epoch; each as ``processes`` neighbouring items.

    The order depends on the seed and the epoch alone, never on what was drawn before.
    """

    def __init__(self, steps: int, processes: int, trainer: Any) -> None:
        self.steps = steps
        self.processes = processes
        self.trainer = trainer

    def __len__(self) -> int:
        return self.steps * self.processes

    def __iter__(self) -> Iterator[int]:
        epoch = int(self.trainer.state.epoch or 0)
        order = list(range(self.steps))
        random.Random(f"{self.trainer.args.seed}/{epoch}").shuffle(order)
        for step in order:
            yield from range(step * self.processes, (step + 1) * self.processes)
