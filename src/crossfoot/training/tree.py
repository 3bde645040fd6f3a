"""Token trees: rows that begin alike, with every shared token kept once.

A page's rows (every target of every conversation on it) share the system prompt, the page and the
turns before. ``grow(rows)`` inserts them into one tree; under causal attention a token depends on
its ancestors only, so computing the tree computes all rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from crossfoot.targets.rows import Row


@dataclass(frozen=True, slots=True)
class Tree:
    """``ids[i]`` follows ``ids[parents[i]]`` (-1: nothing); parents come before their children.

    ``completions`` has, for each row, the indices of the tokens that bear its loss. Rows that begin
    with another token share nothing, and the tree has several roots.
    """

    ids: tuple[int, ...]
    parents: tuple[int, ...]
    completions: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def target_counts(self) -> dict[int, int]:
        """For each loss-bearing token, in how many rows it bears loss; in the tree's order."""
        counts = Counter(index for completion in self.completions for index in completion)
        return dict(sorted(counts.items()))

    @property
    def depths(self) -> list[int]:
        """Position of each token in its row."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
        return depths

    def path(self, index: int) -> list[int]:
        """Indices from the root to ``index``."""
        path = []
        while index >= 0:
            path.append(index)
            index = self.parents[index]
        return path[::-1]


def grow(rows: Sequence[Row]) -> Tree:
    """The tree of ``rows``; ValueError where a row has no prompt or no completion."""
    ids: list[int] = []
    parents: list[int] = []
    completions = []
    index_of: dict[tuple[int, int], int] = {}
    for row in rows:
        if not row.prompt_ids or not row.completion_ids:
            raise ValueError("a row needs a prompt and a completion")
        place, path = -1, []
        for token in row.ids:
            key = (place, token)
            place = index_of.setdefault(key, len(ids))
            if place == len(ids):
                ids.append(token)
                parents.append(key[0])
            path.append(place)
        completions.append(tuple(path[len(row.prompt_ids) :]))
    return Tree(tuple(ids), tuple(parents), tuple(completions))


def chains(tree: Tree) -> list[list[int]]:
    """Paths from the root that together hold every target, each of them as long as can be."""
    parents = set(tree.parents)
    missing = set(tree.target_counts)
    paths = []
    for leaf in range(len(tree)):
        if leaf not in parents:
            path = tree.path(leaf)
            if not missing.isdisjoint(path):
                missing.difference_update(path)
                paths.append(path)
    return paths


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch without branching: its tokens' indices, and the segments that follow it."""

    indices: tuple[int, ...]
    children: tuple[Segment, ...]


def segments(tree: Tree) -> tuple[Segment, ...]:
    """The tree cut at its branchings, from the roots down."""
    children: list[list[int]] = [[] for _ in tree.ids]
    roots: list[int] = []
    for index, parent in enumerate(tree.parents):
        (children[parent] if parent >= 0 else roots).append(index)
    built: dict[int, Segment] = {}
    for start in reversed(range(len(tree))):
        parent = tree.parents[start]
        if parent >= 0 and len(children[parent]) == 1:
            continue  # in the middle of a segment
        stretch = [start]
        while len(children[stretch[-1]]) == 1:
            stretch += children[stretch[-1]]
        built[start] = Segment(tuple(stretch), tuple(built[i] for i in children[stretch[-1]]))
    return tuple(built[root] for root in roots)
