"""The way that a model gets is one that was seen to be exact for it."""

from __future__ import annotations

import sys

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM

import families
import tiny
from crossfoot.targets.rows import Row
from crossfoot.training import sharing
from crossfoot.training.sft import tree_loss
from crossfoot.training.sharing import choose_way
from crossfoot.training.tree import grow


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


def test_the_trial_computes_as_the_training_will():
    """Kernels of recurrent layers on a GPU refuse float32."""
    model, seen = tiny.llama(), []
    model.register_forward_pre_hook(lambda *_: seen.append(torch.is_autocast_enabled("cpu")))
    assert choose_way(model, torch.bfloat16)[0] == "tree"
    assert seen
    assert all(seen)
    seen.clear()
    choose_way(model)
    assert not any(seen)


def test_a_trial_that_runs_out_of_memory_is_no_reason_to_share_nothing(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(sharing, "target_logprobs", full)
    with pytest.raises(torch.OutOfMemoryError):
        choose_way(tiny.llama())


def test_passes_of_one_token_need_no_rule_for_decoding(monkeypatch):
    """flash-linear-attention's has no backward pass."""
    module = sys.modules[type(next(iter(families.build("qwen3_5").modules()))).__module__]
    monkeypatch.setattr(
        module, "torch_recurrent_gated_delta_rule", lambda *_, **__: pytest.fail("decoded")
    )
    model = families.build("qwen3_5")
    assert choose_way(model)[0] == "fork"
    rows = [Row("", (5, 6), (7, 8)), Row("", (5, 6, 9), (10,))]  # 9 and leaves stand alone
    tree_loss(model, [grow(rows)], "fork").backward()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_that_ignores_the_tree_falls_back(dtype):
    model = tiny.llama().to(dtype)
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
