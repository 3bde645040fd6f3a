"""Attention of the paths of a tree, in blocks of queries whose scores stay in a CPU's cache.

PyTorch's attention for CPUs works on 32 queries at a time and reaches a sixth of what its matrix
products do. Here a block is as many queries as fit the second-level cache, query heads that share
keys are one product, and what a path sees of its ancestors is never kept for the backward pass,
which computes the weights again: on any device a page costs no memory for each of its paths. Scores
have the precision of the inputs, as in transformers' ``eager`` attention; keys are centred first,
which changes no weight (a softmax does not see what is added to all of a query's scores) and keeps
scores small: Zhang et al. 2024, SageAttention.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.autograd.function import once_differentiable

SCORES = {"cpu": 2**20}  # of one block, over all heads
MORE_SCORES = 2**24  # where no cache of a core has to hold them
Span = tuple[int, int]


def attend_in_blocks(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    paths: Sequence[Sequence[Span]],
    scale: float,
) -> torch.Tensor:
    """Causal attention of (1, heads, tokens, width), keys and values with as many or fewer heads.

    A path is the spans of tokens that it sees, its own last; every token is in one path's own span.
    Under autocast it computes in autocast's dtype, as PyTorch's attention does. Returns (1, tokens,
    heads, width).
    """
    device = query.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else query.dtype
    states = [state[0].to(dtype) for state in (query, key, value)]
    with torch.autocast(device, enabled=False):
        output: torch.Tensor = _Attention.apply(*states, paths, scale)
    return output.transpose(0, 1)[None]


class _Attention(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        paths: Sequence[Sequence[Span]],
        scale: float,
    ) -> torch.Tensor:
        query, key = query * scale, key - key.mean(1, keepdim=True)
        output = torch.empty_like(query)
        for spans in paths:
            keys, values = _seen(key, spans), _seen(value, spans)
            for start, end, count in _blocks(spans, query):
                weights = _weights(_fold(query, start, end, len(key)), keys[:, :count], end - start)
                _unfold(output, start, end, torch.bmm(weights, values[:, :count]))
        ctx.save_for_backward(query, key, value)
        ctx.paths, ctx.scale = paths, scale
        return output

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value = ctx.saved_tensors
        into_query = torch.empty_like(query)
        exact = torch.promote_types(key.dtype, torch.float32)
        into_key = torch.zeros_like(key, dtype=exact)
        into_value = torch.zeros_like(value, dtype=exact)
        for spans in ctx.paths:
            keys, values = _seen(key, spans), _seen(value, spans)
            of_keys = torch.zeros_like(keys, dtype=exact)
            of_values = torch.zeros_like(values, dtype=exact)
            for start, end, count in _blocks(spans, query):
                queries = _fold(query, start, end, len(key))
                outputs = _fold(gradient, start, end, len(key))
                weights = _weights(queries, keys[:, :count], end - start)
                of_values[:, :count] += torch.bmm(weights.transpose(1, 2), outputs)
                of_weights = torch.bmm(outputs, values[:, :count].transpose(1, 2))
                of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
                of_keys[:, :count] += torch.bmm(of_scores.transpose(1, 2), queries)
                _unfold(into_query, start, end, torch.bmm(of_scores, keys[:, :count]))
            _add(into_key, spans, of_keys)
            _add(into_value, spans, of_values)
        into_query *= ctx.scale
        return into_query, into_key.to(key.dtype), into_value.to(key.dtype), None, None


def _blocks(spans: Sequence[Span], query: torch.Tensor) -> Iterator[tuple[int, int, int]]:
    """Queries ``start:end`` of the path's own span, and how many of its keys they see."""
    scores = SCORES.get(query.device.type, MORE_SCORES) / len(query)  # of one head
    count = sum(end - start for start, end in spans[:-1])
    start, last = spans[-1]
    while start < last:
        fitting = (math.sqrt(count**2 + 4 * scores) - count) / 2
        end = min(start + max(16, int(fitting)), last)
        count += end - start
        yield start, end, count
        start = end


def _seen(tokens: torch.Tensor, spans: Sequence[Span]) -> torch.Tensor:
    return torch.cat([tokens[:, start:end] for start, end in spans], dim=1)


def _add(into: torch.Tensor, spans: Sequence[Span], values: torch.Tensor) -> None:
    place = 0
    for start, end in spans:
        into[:, start:end] += values[:, place : place + end - start]
        place += end - start


def _fold(queries: torch.Tensor, start: int, end: int, groups: int) -> torch.Tensor:
    """(heads, tokens, width) -> (key heads, heads that share them * tokens, width)."""
    return queries[:, start:end].reshape(groups, -1, queries.shape[-1])


def _unfold(into: torch.Tensor, start: int, end: int, folded: torch.Tensor) -> None:
    into[:, start:end] = folded.view(len(into), end - start, -1)


def _weights(queries: torch.Tensor, keys: torch.Tensor, own: int) -> torch.Tensor:
    """Softmax over the keys; of the last ``own`` keys a query sees those up to its own."""
    scores = torch.bmm(queries, keys.transpose(1, 2))
    later = torch.ones(own, own, dtype=torch.bool, device=keys.device).triu(1)
    scores.view(-1, own, scores.shape[-1])[:, :, -own:].masked_fill_(later, -torch.inf)
    return torch.softmax(scores, dim=-1)
