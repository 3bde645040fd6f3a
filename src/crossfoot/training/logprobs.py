"""Log-probabilities of the target tokens of trees, every shared prefix computed once.

Two ways, both equal to the row-by-row computation:

- ``branches``: the longest path is one causal pass; all other tokens are a second pass behind its
  keys and values, each seeing its ancestors only. For models of attention layers (windows too).
- ``fork``: each stretch between branchings continues from a fork of its parent's cache; leaves of
  one parent go as a batch. Serves recurrent layers too, where no mask can hide a token.

``rows`` is the fallback: one pass for each chain of rows that extend each other.

With ``checkpoint`` the activations of a pass are computed again in the backward pass; passes are
then at most ``SEGMENT`` tokens long, which bounds the memory of one page by that of one segment
and the caches. (Activation checkpointing of transformers switches caches off.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint as recompute
from transformers import DynamicCache

from crossfoot.models.forking import fork, forkable_cache
from crossfoot.targets.rows import Row
from crossfoot.training.tree import Segment, Tree, chains, grow, segments, trunk


def text_config(model: Any) -> Any:
    """The config of the language model, also behind a wrapper for several processes."""
    return getattr(model, "module", model).config.get_text_config()


Way = Literal["branches", "fork", "rows"]
SEGMENT = 1024


@dataclass(slots=True)
class _Wanted:
    """Predictions to take from one pass: batch rows, positions that predict, labels, and slots."""

    rows: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    def add(self, row: int, position: int, label: int, slot: int) -> None:
        self.rows.append(row)
        self.positions.append(position)
        self.labels.append(label)
        self.slots.append(slot)

    def within(self, start: int, end: int) -> _Wanted:
        """Those whose position lies in ``start:end``, counted from ``start``."""
        part = _Wanted()
        for row, position, label, slot in zip(
            self.rows, self.positions, self.labels, self.slots, strict=True
        ):
            if start <= position < end:
                part.add(row, position - start, label, slot)
        return part


@dataclass(frozen=True, slots=True)
class _Found:
    """Log-probabilities with their slots."""

    values: torch.Tensor
    slots: list[int]


class _Passes:
    """Runs passes of one model; ``found`` collects what they give."""

    def __init__(self, model: Any, checkpoint: bool, cached: bool) -> None:
        self.model = model
        self.checkpoint = checkpoint
        self.step = SEGMENT if checkpoint and cached else None
        self.device = next(model.parameters()).device
        self.found: list[_Found] = []

    def run(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        wanted: _Wanted,
        cache: DynamicCache | None,
        mask: Any = None,
    ) -> DynamicCache | None:
        """Continue ``cache`` by ``ids`` (B, L) at ``positions``; returns the grown cache."""
        if not self.checkpoint:
            values, grown = self._forward(ids, positions, wanted, cache, mask)
        else:
            values, grown = recompute(
                self._forward, ids, positions, wanted, cache, mask, use_reentrant=False
            )
        if values is not None:
            self.found.append(_Found(values, wanted.slots))
        return grown

    def _forward(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        wanted: _Wanted,
        cache: DynamicCache | None,
        mask: Any,
    ) -> tuple[torch.Tensor | None, DynamicCache | None]:
        grown = fork(cache, len(ids)) if cache is not None else None
        kept = sorted(set(wanted.positions)) or [0]
        keep = torch.tensor(kept, device=self.device)
        logits = self.model(
            input_ids=ids.to(self.device),
            position_ids=positions.to(self.device),
            attention_mask=mask,
            past_key_values=grown,
            use_cache=grown is not None,
            logits_to_keep=keep,
        ).logits
        if logits.shape[1] != len(kept):  # a model that does not know logits_to_keep
            logits = logits[:, keep]
        if not wanted.labels:
            return None, grown
        place = {position: index for index, position in enumerate(kept)}
        chosen = logits[wanted.rows, [place[position] for position in wanted.positions]]
        labels = torch.tensor(wanted.labels, device=self.device)
        chosen = chosen.to(torch.promote_types(chosen.dtype, torch.float32))
        return -cross_entropy(chosen, labels, reduction="none"), grown


def target_logprobs(
    model: Any, trees: Sequence[Tree], way: Way, *, checkpoint: bool = False
) -> list[torch.Tensor]:
    """For each tree the log-probabilities of its targets, in the order of ``target_counts``."""
    slots = _slots(trees)
    passes = _Passes(model, checkpoint, cached=way != "rows")
    if way == "branches":
        _trunk_and_branches(passes, trees, slots)
    for tree, own in zip(trees, slots, strict=True):
        if way == "fork":
            for segment in segments(tree):
                _visit(passes, tree, segment, own, forkable_cache(text_config(model)), 0)
        elif way == "rows":
            _by_chain(passes, tree, own)
    values = torch.cat([found.values for found in passes.found])
    order = torch.tensor([slot for found in passes.found for slot in found.slots])
    values = values[torch.argsort(order).to(values.device)]
    return list(values.split([len(own) for own in slots]))


def completion_logprobs(
    model: Any,
    prompt_ids: Sequence[int],
    completions: Sequence[Sequence[int]],
    way: Way,
    *,
    checkpoint: bool = False,
) -> list[torch.Tensor]:
    """Log-probability of every token of completions of one prompt: a group, or a pair of DPO.

    One tensor of shape (tokens of the completion,) each; equal to computing prompt + completion.
    """
    tree = grow([Row("", tuple(prompt_ids), tuple(completion)) for completion in completions])
    (values,) = target_logprobs(model, [tree], way, checkpoint=checkpoint)
    place = {index: number for number, index in enumerate(tree.target_counts)}
    return [values[[place[index] for index in completion]] for completion in tree.completions]


def _slots(trees: Sequence[Tree]) -> list[dict[int, int]]:
    """For each tree, target index -> place among all targets."""
    slots = []
    start = 0
    for tree in trees:
        targets = list(tree.target_counts)
        slots.append({index: start + place for place, index in enumerate(targets)})
        start += len(targets)
    return slots


# --- the longest path, then everything that hangs off it -----------------------------------------


def _trunk_and_branches(
    passes: _Passes, trees: Sequence[Tree], slots: Sequence[dict[int, int]]
) -> None:
    trunks = [trunk(tree) for tree in trees]
    in_trunk = [{index: depth for depth, index in enumerate(path)} for path in trunks]
    branches = [
        [index for index in range(len(tree)) if index not in on_path]
        for tree, on_path in zip(trees, in_trunk, strict=True)
    ]
    in_branch = [{index: place for place, index in enumerate(rest)} for rest in branches]
    first, second = _Wanted(), _Wanted()
    for row, (tree, own) in enumerate(zip(trees, slots, strict=True)):
        for index, slot in own.items():
            parent = tree.parents[index]
            if parent in in_trunk[row]:
                first.add(row, in_trunk[row][parent], tree.ids[index], slot)
            else:
                second.add(row, in_branch[row][parent], tree.ids[index], slot)
    ids = _padded([[tree.ids[i] for i in path] for tree, path in zip(trees, trunks, strict=True)])
    has_branches = any(branches)
    cache = _run_trunk(passes, ids, first, has_branches)
    if has_branches:
        branch_ids = [
            [tree.ids[index] for index in rest] for tree, rest in zip(trees, branches, strict=True)
        ]
        positions, mask = _ancestors(trees, branches, ids.shape[1])
        masks = _as_the_model_takes_it(text_config(passes.model), mask, positions, passes.device)
        passes.run(_padded(branch_ids), _padded(positions), second, cache, masks)


def _run_trunk(
    passes: _Passes, ids: torch.Tensor, wanted: _Wanted, keep: bool
) -> DynamicCache | None:
    """Right padding needs no mask: under causal attention no real token sees it."""
    rows, length = ids.shape
    step = passes.step or length
    # Plain layers throughout: those with a window would forget what a branch needs.
    cache = DynamicCache() if keep or step < length else None
    for start in range(0, length, step):
        end = min(start + step, length)
        positions = torch.arange(start, end).expand(rows, -1)
        cache = passes.run(ids[:, start:end], positions, wanted.within(start, end), cache)
    return cache


def _ancestors(
    trees: Sequence[Tree], branches: Sequence[list[int]], width: int
) -> tuple[list[list[int]], torch.Tensor]:
    """Positions of the branch tokens, and who sees whom: (B, 1, Q, width + Q), True where seen."""
    longest = max(map(len, branches))
    mask = torch.zeros(len(trees), 1, longest, width + longest, dtype=torch.bool)
    mask[:, :, :, 0] = True  # padding sees something, as a softmax over nothing is not a number
    positions = []
    for row, (tree, rest) in enumerate(zip(trees, branches, strict=True)):
        depths = tree.depths
        place = {index: number for number, index in enumerate(rest)}
        for index, query in place.items():
            parent, seen = tree.parents[index], mask[row, 0, query]
            if parent in place:
                seen.copy_(mask[row, 0, place[parent]])
            else:
                seen[: depths[parent] + 1 if parent >= 0 else 1] = parent >= 0
            seen[width + query] = True
        positions.append([depths[index] for index in rest])
    return positions, mask


def _as_the_model_takes_it(
    config: Any, mask: torch.Tensor, positions: Sequence[Sequence[int]], device: torch.device
) -> Any:
    """One mask for all layers or one for each kind; additive for eager attention."""
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or [])
    full = _for_attention(mask, config, device)
    if not window or kinds == {"full_attention"}:
        return full
    queries = _padded(positions)  # (B, Q)
    before = torch.arange(mask.shape[-1] - queries.shape[1]).expand(len(queries), -1)
    keys = torch.cat([before, queries], dim=1)
    near = queries[:, None, :, None] - keys[:, None, None, :] < window
    sliding = _for_attention(mask & near, config, device)
    return {"full_attention": full, "sliding_attention": sliding} if kinds else sliding


def _for_attention(mask: torch.Tensor, config: Any, device: torch.device) -> torch.Tensor:
    if config._attn_implementation != "eager":
        return mask.to(device)
    lowest = torch.finfo(torch.float32).min
    return torch.zeros(mask.shape).masked_fill_(~mask, lowest).to(device)


# --- forked caches -------------------------------------------------------------------------------


def _visit(
    passes: _Passes,
    tree: Tree,
    segment: Segment,
    slots: dict[int, int],
    cache: DynamicCache,
    start: int,
) -> None:
    """Run a segment behind ``start`` tokens, then its leaves as one batch, then the others."""
    for part in _parts(segment, passes.step or len(segment.indices)):
        ids = torch.tensor([[tree.ids[index] for index in part]])
        positions = torch.arange(start, start + len(part))[None]
        cache = passes.run(ids, positions, _wanted(tree, [part], slots), cache)
        start += len(part)
    leaves = [child for child in segment.children if not child.children]
    if leaves:
        # Right padding is harmless: nothing continues from a leaf.
        ids = _padded([[tree.ids[index] for index in leaf.indices] for leaf in leaves])
        positions = torch.arange(start, start + ids.shape[1]).expand(len(leaves), -1)
        wanted = _wanted(tree, [leaf.indices for leaf in leaves], slots)
        passes.run(ids, positions, wanted, cache)
    for child in segment.children:
        if child.children:
            _visit(passes, tree, child, slots, cache, start)


def _parts(segment: Segment, step: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(segment.indices), step):
        yield segment.indices[start : start + step]


def _wanted(tree: Tree, stretches: Sequence[Sequence[int]], slots: dict[int, int]) -> _Wanted:
    """Predictions of the tokens whose parent lies in one of ``stretches``, one a batch row."""
    place = {
        index: (row, position)
        for row, stretch in enumerate(stretches)
        for position, index in enumerate(stretch)
    }
    wanted = _Wanted()
    for index, slot in slots.items():
        if tree.parents[index] in place:
            wanted.add(*place[tree.parents[index]], tree.ids[index], slot)
    return wanted


# --- rows ----------------------------------------------------------------------------------------


def _by_chain(passes: _Passes, tree: Tree, slots: dict[int, int]) -> None:
    """A pass for each chain; a target on several of them is taken from the first."""
    missing = dict(slots)
    for path in chains(tree):
        own = {index: missing.pop(index) for index in path if index in missing}
        wanted = _wanted(tree, [path], own)
        ids = torch.tensor([[tree.ids[index] for index in path]])
        passes.run(ids, torch.arange(len(path))[None], wanted, None)


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Rows of ids or positions as one tensor, padded on the right with 0."""
    width = max(map(len, rows))
    return torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
