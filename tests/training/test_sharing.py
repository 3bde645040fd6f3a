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
    [("llama", "branches"), ("qwen2", "branches"), ("gemma3", "branches"), ("qwen3_5", "fork")],
)
def test_every_family_shares(family, way):
    found, why = choose_way(families.build(family))
    assert found == way
    assert why.startswith("shared prefixes")


def test_half_precision_shares_too():
    assert choose_way(families.build("llama").to(torch.bfloat16))[0] == "branches"


def test_a_model_that_ignores_the_mask_falls_back_with_the_difference():
    model = tiny.llama()
    for parameter in model.parameters():
        parameter.data = parameter.data * 4
    forward = model.forward
    model.forward = lambda attention_mask=None, **inputs: forward(**inputs)
    model.config._attn_implementation = "sdpa"
    found, _ = choose_way(model)
    assert found == "fork"  # which needs no mask
    model.forward = lambda past_key_values=None, **inputs: forward(**inputs)
    found, why = choose_way(model)
    assert found == "rows"
    assert why.startswith("rows one by one, as this model branches: ")
    assert "differs by" in why or "size" in why


def test_a_model_of_another_kind_falls_back_to_rows():
    config = MambaConfig(vocab_size=640, hidden_size=32, num_hidden_layers=2, state_size=4)
    torch.manual_seed(0)
    found, why = choose_way(MambaForCausalLM(config).eval())
    assert found in ("fork", "rows")
    assert "\n" not in why
