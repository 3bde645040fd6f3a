"""Unsloth's faster LoRA where it is installed and fits; otherwise PEFT, and a line that says why.

``unsloth_adapter("Qwen/Qwen2.5-1.5B-Instruct", ...)`` is ``FastLanguageModel.from_pretrained`` and
``get_peft_model`` (https://github.com/unslothai/unsloth). It needs an NVIDIA GPU and pins older
versions of transformers and TRL: keep it in an environment of its own.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from crossfoot.models.loading import DTYPES, resolve

# What "all-linear" means there: the names of the models that Unsloth knows.
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def installed() -> bool:
    """Whether Unsloth can be imported; it is not imported for that."""
    return importlib.util.find_spec("unsloth") is not None


def why_not(config: Any, *, method: str, start_from: str | None, shares: bool) -> str | None:
    """Why a training of a model of ``config`` goes without Unsloth; None where it can be used."""
    if not torch.cuda.is_available():
        return "there is no GPU"
    if method == "none":
        return "all weights are trained"
    if start_from is not None:
        return "the training goes on from an adapter"
    if hasattr(config, "vision_config"):
        return "the model is multimodal"
    if shares:
        return (
            "its attention knows no shared prefixes, which are worth more (rows: target has none)"
        )
    return None


def unsloth_adapter(
    name: str,
    *,
    dtype: str,
    max_tokens: int,
    method: str,
    rank: int,
    alpha: int,
    dropout: float,
    targets: str | list[str],
) -> Any:
    """A model of Unsloth's with a new LoRA adapter, ready to train."""
    from unsloth import FastLanguageModel

    model, _ = FastLanguageModel.from_pretrained(
        model_name=resolve(name),
        max_seq_length=max_tokens,
        dtype=DTYPES[dtype],
        load_in_4bit=method == "qlora",
        trust_remote_code=False,
    )
    model = FastLanguageModel.get_peft_model(
        model,
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=ALL_LINEAR if targets == "all-linear" else targets,
        bias="none",
        use_gradient_checkpointing=False,  # the recipe's choice, under trainer:
    )
    model.get_base_model().name_or_path = name
    return model
