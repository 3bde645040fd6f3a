"""Caches that can be forked and differentiated through.

``forkable_cache(config)`` is an empty cache; ``fork(cache, n)`` copies it for n continuations of
one prefix without copying the tensors. This module reaches into transformers' cache classes;
tests/training/test_logprobs.py fails where they change.
"""

from __future__ import annotations

import copy
import sys
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import (
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionAndFullAttentionLayer,
    LinearAttentionLayer,
)

ATTENTION = (DynamicLayer, DynamicSlidingWindowLayer)
RECURRENT = (LinearAttentionLayer, LinearAttentionAndFullAttentionLayer)


class _Assigning:
    """Recurrent states that are assigned, as autograd refuses those written in place."""

    def update_conv_state(
        self: Any,
        conv_states: torch.Tensor,
        state_idx: int = 0,
        conv_kernel_size: Any = None,
        **_: Any,
    ) -> torch.Tensor:
        """Append (B, channels, new); returns the previous states with the new ones behind them."""
        if self.is_conv_states_initialized[state_idx]:
            conv_states = torch.cat([self.conv_states[state_idx], conv_states], dim=-1)
        kernel = conv_kernel_size or conv_states.shape[-1]
        short = max(0, kernel - conv_states.shape[-1])
        kept = torch.nn.functional.pad(conv_states, (short, 0))
        self.conv_states[state_idx] = kept[..., -kernel:]
        self.is_conv_states_initialized[state_idx] = True
        self.has_previous_state[state_idx] = True
        return conv_states

    def update_recurrent_state(
        self: Any, recurrent_states: torch.Tensor, state_idx: int = 0, **_: Any
    ) -> torch.Tensor:
        """Put the new state in the old one's place."""
        self.recurrent_states[state_idx] = recurrent_states
        self.is_recurrent_states_initialized[state_idx] = True
        return recurrent_states


_ASSIGNING = {kind: type(f"Assigning{kind.__name__}", (_Assigning, kind), {}) for kind in RECURRENT}


def let_single_tokens_learn(model: Any) -> None:
    """Let passes of one token take the recurrent rule that longer ones take.

    Where flash-linear-attention is installed transformers decodes by its
    ``fused_recurrent_gated_delta_rule``, which has no backward pass.
    """
    for name in {type(part).__module__ for part in model.modules()}:
        module: Any = sys.modules[name]
        if hasattr(module, "torch_recurrent_gated_delta_rule"):
            module.torch_recurrent_gated_delta_rule = module.torch_chunk_gated_delta_rule


def layer_classes(config: Any) -> set[type]:
    """The classes of cache layer that a language model's config asks for."""
    return {type(layer) for layer in DynamicCache(config=config).layers}


def forkable_cache(config: Any) -> DynamicCache:
    """An empty cache of the layers that a language model's config asks for."""
    cache = DynamicCache(config=config)
    cache.layers = [
        _assigning(layer) if type(layer) in RECURRENT else layer for layer in cache.layers
    ]
    return cache


def _assigning(layer: Any) -> Any:
    same: Any = object.__new__(_ASSIGNING[type(layer)])
    vars(same).update(vars(layer))
    # Otherwise a segment of one token takes a kernel that writes in place.
    same.record_past = True
    return same


def fork(cache: DynamicCache, rows: int) -> DynamicCache:
    """``cache`` of batch size 1 for ``rows`` continuations; the original stays as it is."""
    forked = copy.copy(cache)
    forked.layers = [_fork_layer(layer, rows) for layer in cache.layers]
    return forked


def _fork_layer(layer: Any, rows: int) -> Any:
    forked = copy.copy(layer)
    for name, value in vars(layer).items():
        if isinstance(value, dict):
            setattr(forked, name, {key: _expand(state, rows) for key, state in value.items()})
        elif name in ("keys", "values"):
            setattr(forked, name, _expand(value, rows))
    return forked


def _expand(state: Any, rows: int) -> Any:
    if not isinstance(state, torch.Tensor) or state.dim() < 2:
        return state
    return state.expand(rows, *state.shape[1:])
