"""Optimizers and number formats: what runs here, and what is refused in one line."""

from __future__ import annotations

import pytest
import torch

import tiny
import workshop
from crossfoot.errors import RecipeError
from crossfoot.models.adapters import add_adapter, save_trained
from crossfoot.models.loading import native_dtype
from crossfoot.training.arguments import training_arguments
from crossfoot.training.machine import check_dtype
from crossfoot.training.train import train


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSFOOT_DATA", str(workshop.write_data(tmp_path / "data")))
    return workshop.write_model(tmp_path / "model")


@pytest.mark.parametrize("optimizer", ["adamw_bnb_8bit", "paged_adamw_8bit"])
def test_eight_bit_optimizers_train_on_a_cpu_too(model, tmp_path, optimizer):
    """``paged_`` ones warn that a CPU has nothing to page, and stay in memory."""
    bitsandbytes = pytest.importorskip("bitsandbytes", reason="needs crossfoot[quant]")
    recipe = workshop.recipe(
        model,
        adapter={"method": "lora", "rank": 128, "alpha": 128},  # at least 4,096 numbers a tensor
        trainer={"optim": optimizer, "save_steps": 3, "max_steps": 4},
    )
    states = []

    class Watched(bitsandbytes.optim.AdamW):
        def step(self, closure=None):
            result = super().step(closure)
            states.append({s["state1"].dtype for s in self.state.values()})
            return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitsandbytes.optim.AdamW", Watched)
        run = train(recipe, tmp_path / "run")
    losses = [line["loss"] for line in run.read_lines("train_loss.log")]
    assert losses[-1] < losses[0]
    assert all(torch.uint8 in kinds for kinds in states)
    assert len(states) == 4


@pytest.mark.parametrize("optimizer", ["adamw_bnb_8bit", "paged_adamw_8bit"])
def test_an_eight_bit_optimizer_without_bitsandbytes_is_refused_before_anything_starts(
    model, tmp_path, monkeypatch, optimizer
):
    monkeypatch.setattr(
        "transformers.trainer_optimizer.is_bitsandbytes_available", lambda *_, **__: False
    )
    with pytest.raises(RecipeError) as error:
        train(workshop.recipe(model, trainer={"optim": optimizer}), tmp_path / "run")
    assert "field trainer.optim" in str(error.value)
    assert "pip install 'crossfoot[quant]'" in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_bfloat16_on_a_gpu_without_it_names_the_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    with pytest.raises(RecipeError, match="dtype: Tesla T4 has no bfloat16; add dtype=float16"):
        check_dtype(workshop.recipe("nowhere", dtype="bfloat16"))
    check_dtype(workshop.recipe("nowhere", dtype="float16"))
    assert native_dtype() == "float16"  # what engines load weights in


def test_half_precision_scales_losses_on_a_gpu_only(model, tmp_path):
    recipe = workshop.recipe(model, dtype="float16", trainer={"max_steps": 3})
    arguments = training_arguments(recipe, tmp_path)
    assert (arguments.fp16, arguments.bf16) == (torch.cuda.is_available(), False)
    losses = [line["loss"] for line in train(recipe, tmp_path / "run").read_lines("train_loss.log")]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_an_adapter_is_held_in_float32_over_half_precision(dtype, tmp_path):
    """As a gradient scaler refuses parameters in float16; also one that was stored in bfloat16."""
    options = workshop.recipe("nowhere").adapter.model_dump()
    model = add_adapter(tiny.llama().to(dtype), **options)
    save_trained(model, tiny.tokenizer(), tmp_path / "adapter")
    again = add_adapter(
        tiny.llama().to(dtype), **options | {"start_from": str(tmp_path / "adapter")}
    )
    for one in (model, again):
        trained = {p.dtype for p in one.parameters() if p.requires_grad}
        assert trained == {torch.float32}
        assert one.get_base_model().model.norm.weight.dtype == dtype
