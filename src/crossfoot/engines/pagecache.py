"""Encoded prompts kept between the turns of conversations, so that no page is encoded twice.

Keys and values of finished prompts are kept per conversation; the longest common prefix with a new
prompt is reused. Rows of one batch reuse prefixes of different lengths: both the cached part and
the new part are padded on the left, and the attention mask leaves the padding out. This module is
the one place that reaches into transformers' cache classes; tests/engines/test_pagecache.py fails
where they change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


@dataclass(frozen=True, slots=True)
class Kept:
    """Encoded ids of one prompt; one (keys, values) pair a layer, each (heads, length, width)."""

    ids: tuple[int, ...]
    layers: list[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs of ``generate``: ids and mask of shape (B, cached + new), and the cache or None."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    cache: DynamicCache | None


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values in a buffer with room to grow.

    ``DynamicLayer`` copies everything that is cached for every new token: at sixteen rows of two
    thousand tokens that is more memory traffic than the model itself.
    """

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states of shape (B, heads, new, width); returns all that is cached."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.buffers = (key_states[:, :, :0], value_states[:, :, :0])
            self.keys, self.values = self.buffers
        start = self.keys.shape[-2]
        end = start + key_states.shape[-2]
        if end > self.buffers[0].shape[-2]:
            self.buffers = tuple(_enlarged(part, end) for part in (self.keys, self.values))
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = states
        self.keys, self.values = (buffer[:, :, :end] for buffer in self.buffers)
        return self.keys, self.values


ROOM = 160  # tokens; most replies fit, with what follows a tool call


def _enlarged(part: torch.Tensor, length: int) -> torch.Tensor:
    rows, heads, old, width = part.shape
    buffer = part.new_empty(rows, heads, length + ROOM, width)
    buffer[:, :, :old] = part
    return buffer


def empty_cache() -> DynamicCache:
    """A cache of growing layers, for models that ``can_keep``."""
    cache = DynamicCache()
    cache.layer_class_to_replicate = GrowingLayer
    return cache


def can_keep(model: Any) -> bool:
    """Whether every layer keeps plain keys and values (no sliding window, no recurrent state)."""
    cache = DynamicCache(config=model.config.get_text_config())
    return bool(cache.layers) and all(type(layer) is DynamicLayer for layer in cache.layers)


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Number of leading ids that two sequences share."""
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))


def known(prompt: Sequence[int], kept: Sequence[Kept]) -> tuple[Kept | None, int]:
    """What has the longest prefix of a prompt, and its length, which leaves out the last id."""
    best = max(kept, key=lambda k: common_prefix(k.ids, prompt), default=None)
    length = min(common_prefix(best.ids, prompt), len(prompt) - 1) if best else 0
    return (best if length else None), length


def build_batch(prompts: Sequence[Sequence[int]], kept: Sequence[Kept], pad_id: int) -> Batch:
    """Lay prompts out behind what is kept of them; at least one id of each stays to be encoded."""
    sources, lengths = zip(*(known(prompt, kept) for prompt in prompts), strict=True)
    cached = max(lengths, default=0)
    new = max(len(p) - n for p, n in zip(prompts, lengths, strict=True))
    input_ids = torch.full((len(prompts), cached + new), pad_id)
    mask = torch.zeros_like(input_ids)
    for row, (prompt, length) in enumerate(zip(prompts, lengths, strict=True)):
        ids = torch.tensor(list(prompt))
        for end, part in ((cached, ids[:length]), (cached + new, ids[length:])):
            input_ids[row, end - len(part) : end] = part
            mask[row, end - len(part) : end] = 1
    cache = _assemble(sources, lengths, cached) if cached else None
    return Batch(input_ids, mask, cache)


def _assemble(sources: Sequence[Kept | None], lengths: Sequence[int], width: int) -> DynamicCache:
    example = next(source for source in sources if source is not None)
    cache = empty_cache()
    for layer, (keys, values) in enumerate(example.layers):
        tensors = []
        for part, like in ((0, keys), (1, values)):
            heads, _, size = like.shape
            padded = like.new_zeros(len(sources), heads, width, size)
            for row, (source, length) in enumerate(zip(sources, lengths, strict=True)):
                if source is not None:
                    padded[row, :, width - length :] = source.layers[layer][part][:, :length]
            tensors.append(padded)
        cache.update(tensors[0], tensors[1], layer)
    return cache


def select(cache: Any, rows: Sequence[int]) -> None:
    """Leave only some rows of a cache of growing layers."""
    for layer in cache.layers:
        length = layer.keys.shape[-2]
        layer.buffers = tuple(buffer[list(rows)] for buffer in layer.buffers)
        layer.keys, layer.values = (buffer[:, :, :length] for buffer in layer.buffers)


def keep(cache: Any, row: int, mask: torch.Tensor, ids: Sequence[int]) -> Kept:
    """Take the keys and values of one row out of a batch's cache.

    ``mask`` (length of the cache) says which positions are the row's own; ``ids`` are theirs.
    """
    chosen = mask.bool().nonzero().squeeze(1)
    layers = []
    for layer in cache.layers:
        places = chosen.to(layer.keys.device)
        keys, values = layer.keys[row], layer.values[row]
        layers.append((keys.index_select(1, places), values.index_select(1, places)))
    return Kept(tuple(ids), layers)
