"""Attention over token trees: every token sees its ancestors, and nothing else is computed.

A tree is laid out as paths: the longest path from the root, then the longest one that hangs off
what is laid out, and so on. The root's path is plain causal attention; any other path attends to
the part of its parent's that it hangs off, and to itself. ``attend`` is registered with
transformers as an attention implementation (``AttentionInterface``); without a ``tree`` among a
model's keyword arguments it is transformers' own SDPA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from crossfoot.training.blocks import Span, attend_in_blocks
from crossfoot.training.tree import Tree

NAME = "crossfoot_tree"


@dataclass(frozen=True, slots=True)
class Path:
    """Tokens ``start:end`` of the layout behind the first ``before`` tokens that ``parent`` sees.

    ``parent`` is a path's number (None for a root); what it sees is its own ``before`` tokens and
    then its own tokens.
    """

    start: int
    end: int
    parent: int | None
    before: int


@dataclass(slots=True)
class Layout:
    """Trees one behind the other as one row: ``order`` has (tree, index) of each token."""

    order: list[tuple[int, int]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    spans: list[list[Span]] = field(default_factory=list)  # what each path sees, its own last
    masks: dict[tuple[int, int, int | None], torch.Tensor | None] = field(default_factory=dict)

    def mask(self, path: Path, window: int | None, device: torch.device) -> torch.Tensor | None:
        """Which keys the queries of a path see, (1, 1, queries, keys); None: plain causal."""
        queries = path.end - path.start
        keys = path.before + queries
        if window is not None and window >= keys:
            window = None
        if path.before == 0 and window is None:
            return None
        place = (queries, keys, window)
        if place not in self.masks:
            seen = torch.ones(queries, keys, dtype=torch.bool, device=device).tril(path.before)
            if window is not None:
                seen = seen.triu(path.before - window + 1)
            self.masks[place] = seen[None, None]
        return self.masks[place]


def lay_out(trees: Sequence[Tree]) -> Layout:
    """All tokens of ``trees``, each once, path by path."""
    layout = Layout()
    for number, tree in enumerate(trees):
        _lay_out(layout, number, tree)
    return layout


def _lay_out(layout: Layout, number: int, tree: Tree) -> None:
    height = [1] * len(tree)  # tokens of the longest path downwards
    for index in reversed(range(len(tree))):
        parent = tree.parents[index]
        if parent >= 0:
            height[parent] = max(height[parent], height[index] + 1)
    children: dict[int, list[int]] = {}
    for index, parent in enumerate(tree.parents):
        children.setdefault(parent, []).append(index)
    waiting: list[tuple[int, int | None, int]] = [(root, None, 0) for root in children[-1]]
    while waiting:
        index, above_path, before = waiting.pop()
        own, start = len(layout.paths), len(layout.order)
        following: list[int] = [index]
        while following:
            longest = max(following, key=height.__getitem__)
            layout.order.append((number, longest))
            above = before + len(layout.order) - start - 1
            waiting += [(child, own, above) for child in following if child != longest]
            following = children.get(longest, [])
        seen = [] if above_path is None else _first(layout.spans[above_path], before)
        layout.paths.append(Path(start, len(layout.order), above_path, before))
        layout.spans.append([*seen, (start, len(layout.order))])


def _first(spans: Sequence[Span], count: int) -> list[Span]:
    """The first ``count`` tokens of ``spans``."""
    found = []
    for start, end in spans:
        if count > 0:
            found.append((start, min(end, start + count)))
        count -= end - start
    return found


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    tree: Layout | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of queries (1, heads, tokens, width) laid out as ``tree``.

    Returns (1, tokens, heads, width). ``options`` are those of transformers' attention functions,
    ``sliding_window`` among them.
    """
    if tree is None:
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, **options
        )
        return found
    window = options.get("sliding_window")
    if window is None and not options.get("dropout"):
        scale = options.get("scaling") or query.shape[-1] ** -0.5
        return attend_in_blocks(query, key, value, tree.spans, scale), None
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    outputs = []
    for path in tree.paths:
        own = slice(path.start, path.end)
        keys, values = key[:, :, own], value[:, :, own]
        if path.parent is not None:
            above = seen[path.parent]
            keys = torch.cat([above[0][:, :, : path.before], keys], dim=2)
            values = torch.cat([above[1][:, :, : path.before], values], dim=2)
        seen.append((keys, values))
        mask = tree.mask(path, window, query.device)
        output, _ = sdpa_attention_forward(module, query[:, :, own], keys, values, mask, **options)
        outputs.append(output)
    return torch.cat(outputs, dim=1), None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
