"""The way that a model gets is one that was seen to be exact for it."""

from __future__ import annotations

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM

import families
import tiny
from crossfoot.training.sharing import choose_way


@pytest.mark.parametrize(
    ("family", "way"),
    [("llama", "tree"), ("qwen2", "tree"), ("gemma3", "tree"), ("qwen3_5", "fork")],
)
def test_every_family_shares(family, way):
    found, why = choose_way(families.build(family))
    assert found == way
    assert why.startswith("shared prefixes")


def test_half_precision_shares_too():
    assert choose_way(families.build("llama").to(torch.bfloat16))[0] == "tree"


def test_a_model_that_ignores_the_tree_falls_back():
    model = tiny.llama()
    for parameter in model.parameters():
        parameter.data = parameter.data * 4
    forward = model.forward
    model.forward = lambda tree=None, attention_mask=None, **inputs: forward(**inputs)
    assert choose_way(model)[0] == "fork"
    assert model.config._attn_implementation == "sdpa"
    model.forward = lambda tree=None, attention_mask=None, past_key_values=None, **inputs: forward(
        **inputs
    )
    found, why = choose_way(model)
    assert found == "rows"
    assert "as this model tree: differs by" in why
    assert "fork: differs by" in why


def test_a_model_of_another_kind_falls_back_to_rows():
    config = MambaConfig(vocab_size=640, hidden_size=32, num_hidden_layers=2, state_size=4)
    torch.manual_seed(0)
    found, why = choose_way(MambaForCausalLM(config).eval())
    assert found in ("fork", "rows")
    assert "\n" not in why
