"""Attention in blocks against PyTorch's, path by path."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from crossfoot.training import blocks
from crossfoot.training.blocks import attend_in_blocks

# A page, a path that hangs off its middle, one that hangs off that, and a second page.
PATHS = [[(0, 40)], [(0, 25), (40, 57)], [(0, 25), (40, 44), (57, 60)], [(60, 61)]]
TOKENS, WIDTH = 61, 8


def inputs(heads: int, shared: int, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    torch.manual_seed(heads)
    shapes = ((heads, 1), (heads // shared, 3), (heads // shared, 1))
    return [
        (size * torch.randn(1, count, TOKENS, WIDTH, dtype=torch.float64))
        .to(dtype)
        .requires_grad_()
        for count, size in shapes
    ]


def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Every path as a sequence of its own."""
    outputs = []
    for path in PATHS:
        seen = [token for start, end in path for token in range(start, end)]
        own = path[-1][1] - path[-1][0]
        causal = torch.ones(len(seen), len(seen), dtype=torch.bool).tril()[-own:]
        queries = query[:, :, seen[-own:]]
        outputs.append(
            scaled_dot_product_attention(
                queries, key[:, :, seen], value[:, :, seen], causal, scale=0.3, enable_gqa=True
            )
        )
    return torch.cat(outputs, dim=2).transpose(1, 2)


@pytest.mark.parametrize("scores", [1, 2**11, 2**20])  # blocks of 16 queries, of more, of all
@pytest.mark.parametrize(("heads", "shared"), [(6, 3), (2, 1)])
def test_blocks_equal_plain_attention_with_its_gradients(monkeypatch, scores, heads, shared):
    monkeypatch.setitem(blocks.SCORES, "cpu", scores)
    ours, theirs = inputs(heads, shared), inputs(heads, shared)
    output = attend_in_blocks(*ours, PATHS, 0.3)
    expected = plain(*theirs)
    assert output.shape == (1, TOKENS, heads, WIDTH)
    torch.testing.assert_close(output, expected, rtol=1e-12, atol=1e-12)
    gradient = torch.randn_like(output)
    output.backward(gradient)
    expected.backward(gradient)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-11, atol=1e-11)


def test_autocast_decides_the_dtype_whatever_the_states_have():
    query, key, value = inputs(6, 3, torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = attend_in_blocks(query, key, value.to(torch.bfloat16), PATHS, 0.3)
    assert output.dtype == torch.bfloat16
    output.float().sum().backward()
    assert query.grad.dtype == torch.float32
    halves = [state.detach().to(torch.bfloat16) for state in (query, key, value)]
    assert torch.equal(output, attend_in_blocks(*halves, PATHS, 0.3))


def test_what_all_keys_have_in_common_costs_no_precision_in_bfloat16():
    query, key, value = inputs(6, 3, torch.bfloat16)
    key = (key + 30 * torch.randn(1, 1, 1, WIDTH)).to(torch.bfloat16).detach()
    exact = plain(query.double(), key.double(), value.double())
    error = (attend_in_blocks(query, key, value, PATHS, 0.3) - exact).abs().mean()
    theirs = (plain(query, key, value) - exact).abs().mean()
    assert error < 4 * theirs  # 11 times theirs where keys are not centred
