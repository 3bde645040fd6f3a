"""Log-probabilities of the target tokens of trees, every shared prefix computed once.

Two ways, both equal to the row-by-row computation:

- ``tree``: one pass over all tokens, in which each attends to its ancestors (training/attention).
  For models of attention layers, with windows or without; ``prepare`` sets a model up for it.
- ``fork``: each stretch between branchings continues from a fork of its parent's cache; leaves of
  one parent go as a batch. Serves recurrent layers too, which no mask reaches.

``rows`` is the fallback: one pass for each chain of rows that extend each other.

Activation checkpointing of transformers switches caches off, so that ``fork`` has its own: with
``checkpoint`` passes are at most ``SEGMENT`` tokens long and are computed again in the backward
pass. Memory is then that of one segment and of the caches, however long a page is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint as recompute
from transformers import DynamicCache

from crossfoot.models.forking import fork, forkable_cache, let_single_tokens_learn
from crossfoot.targets.rows import Row
from crossfoot.training.attention import NAME, lay_out
from crossfoot.training.tree import Segment, Tree, chains, grow, segments

Way = Literal["tree", "fork", "rows"]
SEGMENT = 1024


def text_config(model: Any) -> Any:
    """The config of the language model, also behind a wrapper for several processes."""
    return getattr(model, "module", model).config.get_text_config()


def prepare(model: Any, way: Way) -> None:
    """Set a model up for ``way``; what it computes without a tree stays the same."""
    if way == "tree" and text_config(model)._attn_implementation != NAME:
        model.set_attn_implementation(NAME)
    if way == "fork":
        let_single_tokens_learn(model)


def computed_in(dtype: torch.dtype, device: torch.device) -> torch.autocast:
    """Autocast as trainings compute: on for the dtypes of 16 bits."""
    return torch.autocast(device.type, dtype, enabled=dtype.itemsize == 2)


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


class _Passes:
    """Runs passes of one model; collects what they give, with the slots that it belongs to."""

    def __init__(self, model: Any, checkpoint: bool) -> None:
        self.model = model
        self.checkpoint = checkpoint
        self.device = next(model.parameters()).device
        self.values: list[torch.Tensor] = []
        self.slots: list[int] = []

    def run(
        self,
        ids: Sequence[Sequence[int]],
        positions: Sequence[Sequence[int]],
        wanted: _Wanted,
        cache: DynamicCache | None = None,
        **options: Any,
    ) -> Any:
        """Run rows of ``ids``, padded on the right, behind ``cache``; returns the grown cache."""
        if self.checkpoint:
            # Of the random states it keeps those of the devices of its tensors: dropout's.
            here = torch.empty(0, device=self.device)
            values, grown = recompute(
                self._forward, ids, positions, wanted, cache, options, here, use_reentrant=False
            )
        else:
            values, grown = self._forward(ids, positions, wanted, cache, options)
        self.values.append(values)
        self.slots += wanted.slots
        return grown

    def _forward(
        self,
        ids: Sequence[Sequence[int]],
        positions: Sequence[Sequence[int]],
        wanted: _Wanted,
        cache: DynamicCache | None,
        options: dict[str, Any],
        here: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, DynamicCache | None]:
        grown = fork(cache, len(ids)) if cache is not None else None
        kept = sorted(set(wanted.positions)) or [0]
        keep = torch.tensor(kept, device=self.device)
        logits = self.model(
            input_ids=self._padded(ids),
            position_ids=self._padded(positions),
            past_key_values=grown,
            use_cache=grown is not None,
            logits_to_keep=keep,
            **options,
        ).logits
        if logits.shape[1] != len(kept):  # a model that does not know logits_to_keep
            logits = logits[:, keep]
        place = {position: index for index, position in enumerate(kept)}
        chosen = logits[wanted.rows, [place[position] for position in wanted.positions]]
        chosen = chosen.to(torch.promote_types(chosen.dtype, torch.float32))
        labels = torch.tensor(wanted.labels, device=self.device, dtype=torch.long)
        return -cross_entropy(chosen, labels, reduction="none"), grown

    def _padded(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Right padding needs no mask: under causal attention no real token sees it."""
        width = max(map(len, rows))
        return torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=self.device)


def target_logprobs(
    model: Any, trees: Sequence[Tree], way: Way, *, checkpoint: bool = False
) -> list[torch.Tensor]:
    """For each tree the log-probabilities of its targets, in the order of ``target_counts``."""
    slots = _slots(trees)
    passes = _Passes(model, checkpoint and way == "fork")
    if way == "tree":
        _as_one_row(passes, trees, slots)
    for tree, own in zip(trees, slots, strict=True):
        if way == "fork":
            for segment in segments(tree):
                _visit(passes, tree, segment, own, forkable_cache(text_config(model)), 0)
        elif way == "rows":
            _by_chain(passes, tree, own)
    order = torch.argsort(torch.tensor(passes.slots)).to(passes.device)
    return list(torch.cat(passes.values)[order].split([len(own) for own in slots]))


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


def _as_one_row(passes: _Passes, trees: Sequence[Tree], slots: Sequence[dict[int, int]]) -> None:
    """All trees in one pass; the mask is a token one, as ``attend`` knows who sees whom."""
    layout = lay_out(trees)
    place = {token: position for position, token in enumerate(layout.order)}
    wanted = _Wanted()
    for number, (tree, own) in enumerate(zip(trees, slots, strict=True)):
        for index, slot in own.items():
            wanted.add(0, place[number, tree.parents[index]], tree.ids[index], slot)
    depths = [tree.depths for tree in trees]
    ids = [trees[number].ids[index] for number, index in layout.order]
    positions = [depths[number][index] for number, index in layout.order]
    nothing = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=passes.device)
    passes.run([ids], [positions], wanted, attention_mask=nothing, tree=layout)


def _visit(
    passes: _Passes,
    tree: Tree,
    segment: Segment,
    slots: dict[int, int],
    cache: DynamicCache,
    start: int,
) -> None:
    """Run a segment behind ``start`` tokens, then its leaves as one batch, then the others."""
    step = SEGMENT if passes.checkpoint else len(segment.indices)
    for first in range(0, len(segment.indices), step):
        cache = _continue(
            passes, tree, [segment.indices[first : first + step]], slots, cache, start
        )
        start += min(step, len(segment.indices) - first)
    leaves = [child.indices for child in segment.children if not child.children]
    if leaves:
        _continue(passes, tree, leaves, slots, cache, start)
    for child in segment.children:
        if child.children:
            _visit(passes, tree, child, slots, cache, start)


def _by_chain(passes: _Passes, tree: Tree, slots: dict[int, int]) -> None:
    """A pass for each chain; a target on several of them is taken from the first."""
    missing = dict(slots)
    for path in chains(tree):
        own = {index: missing.pop(index) for index in path if index in missing}
        _continue(passes, tree, [path], own, None, 0)


def _continue(
    passes: _Passes,
    tree: Tree,
    stretches: Sequence[Sequence[int]],
    slots: dict[int, int],
    cache: DynamicCache | None,
    start: int,
) -> Any:
    """Run stretches of the tree side by side behind ``cache``, which holds ``start`` tokens.

    Takes the predictions of all tokens whose parent lies in one of them.
    """
    place = {
        index: (row, position)
        for row, stretch in enumerate(stretches)
        for position, index in enumerate(stretch)
    }
    wanted = _Wanted()
    for index, slot in slots.items():
        if tree.parents[index] in place:
            wanted.add(*place[tree.parents[index]], tree.ids[index], slot)
    ids = [[tree.ids[index] for index in stretch] for stretch in stretches]
    positions = [range(start, start + len(stretch)) for stretch in stretches]
    return passes.run(ids, positions, wanted, cache)
