"""Unsloth where it fits. A stand-in of its interface stands in for it: it needs a GPU."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest
import torch

import tiny
import workshop
from crossfoot.models import unsloth
from crossfoot.models.loading import load_model
from crossfoot.training.train import train

FITS = {"method": "lora", "start_from": None, "shares": False}


class FastLanguageModel:
    """Takes what Unsloth's takes, and adds the adapter with PEFT."""

    calls: ClassVar[list[tuple]] = []

    @classmethod
    def from_pretrained(cls, model_name, max_seq_length, dtype, load_in_4bit, trust_remote_code):
        cls.calls.append((max_seq_length, dtype, load_in_4bit, trust_remote_code))
        return load_model(model_name, dtype="float32"), None

    @classmethod
    def get_peft_model(
        cls, model, r, lora_alpha, lora_dropout, target_modules, bias, use_gradient_checkpointing
    ):
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=target_modules, bias=bias)
        return get_peft_model(model, config)


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    module = ModuleType("unsloth")
    module.FastLanguageModel = FastLanguageModel
    module.__spec__ = SimpleNamespace(name="unsloth")
    monkeypatch.setitem(sys.modules, "unsloth", module)
    monkeypatch.setattr(FastLanguageModel, "calls", [])
    monkeypatch.setenv("CROSSFOOT_DATA", str(workshop.write_data(tmp_path / "data")))
    return workshop.write_model(tmp_path / "model")


def short(model, **changes):
    return workshop.recipe(model, trainer={"max_steps": 1}, **changes)


def test_what_unsloth_cannot_do_is_told(monkeypatch):
    config = tiny.llama().config
    assert unsloth.why_not(config, **FITS) == "there is no GPU"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert unsloth.why_not(config, **FITS) is None
    multimodal = SimpleNamespace(vision_config=object())
    assert unsloth.why_not(multimodal, **FITS) == "the model is multimodal"
    assert "all weights" in unsloth.why_not(config, **FITS | {"method": "none"})
    assert "goes on from" in unsloth.why_not(config, **FITS | {"start_from": "runs/mine"})
    assert "shared prefixes" in unsloth.why_not(config, **FITS | {"shares": True})


def test_a_training_with_unsloth_leaves_an_adapter_like_any_other(stand_in, monkeypatch, tmp_path):
    monkeypatch.setattr(unsloth, "why_not", lambda config, **_: None)
    said = []
    run = train(short(stand_in, rows="target"), tmp_path / "run", say=said.append)
    assert said[0] == "Unsloth's model and adapter"
    assert FastLanguageModel.calls == [(4096, torch.float32, False, False)]
    assert (run.path / "final_model" / "adapter_model.safetensors").is_file()


def test_without_a_gpu_peft_takes_its_place_and_says_so(stand_in, tmp_path):
    said = []
    train(short(stand_in, rows="target"), tmp_path / "run", say=said.append)
    assert said[0] == "PEFT, not Unsloth: there is no GPU"
    assert FastLanguageModel.calls == []


def test_an_unsloth_that_fails_is_replaced_by_peft(stand_in, monkeypatch, tmp_path):
    def fail(**_):
        raise NotImplementedError("Unsloth: tiny_llama is not supported yet!\nmore")

    monkeypatch.setattr(unsloth, "why_not", lambda config, **_: None)
    monkeypatch.setattr(FastLanguageModel, "from_pretrained", fail)
    said = []
    run = train(short(stand_in, rows="target"), tmp_path / "run", say=said.append)
    assert said[0] == "PEFT, not Unsloth: Unsloth: tiny_llama is not supported yet!"
    assert (run.path / "final_model").is_dir()
