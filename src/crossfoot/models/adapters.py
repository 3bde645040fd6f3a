"""PEFT adapters: made for a recipe, saved in bfloat16.

``add_adapter(model, method="lora", rank=16, ...)`` wraps a model; ``save_trained`` writes what was
trained of it. LoRA: Hu et al. 2021, https://github.com/huggingface/peft.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from crossfoot.chat.prompt import PromptForm
from crossfoot.errors import ModelError, RecipeError, first_line
from crossfoot.files import user_path
from crossfoot.models.loading import WEIGHTS, adapter_config, load_adapter
from crossfoot.models.prompts import write_prompt

_VISION = r".*(visual|vision_tower|multi_modal_projector).*"


def add_adapter(
    model: Any,
    *,
    method: str,
    rank: int,
    alpha: int,
    dropout: float,
    targets: str | list[str],
    start_from: str | None,
) -> Any:
    """``model`` ready to train: a LoRA adapter (new, or going on from one), or all weights."""
    if method == "none":
        return model.train()
    if method == "qlora":
        _keep_layout(model)  # PEFT's own preparation would hold all but 4-bit weights in float32
    if start_from is not None:
        adapted = load_adapter(model, adapter_folder(start_from), trainable=True)
    else:
        adapted = _new_adapter(model, rank, alpha, dropout, targets)
    # PEFT looks the base's config up here at each save: its folder, so that no hub is asked.
    adapted.peft_config["default"].base_model_name_or_path = model.config._name_or_path
    return adapted


def _keep_layout(model: Any) -> None:
    """Keep bitsandbytes from repacking 4-bit weights at the first evaluation on a CPU.

    With AVX-512 BF16 it packs them for inference in place, and every later backward reads them in
    the wrong order: LoRA gradients are wrong without a word (bitsandbytes 0.50.2).
    """
    from bitsandbytes.nn import Linear4bit

    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            if getattr(layer.weight.quant_state, "packing_format_for_cpu", False):
                raise ModelError(
                    f"the 4-bit weights of {model.name_or_path} were packed for inference already",
                    advice="load it again before training",
                )
            layer.support_avx512bf16_for_cpu = False


def _new_adapter(
    model: Any, rank: int, alpha: int, dropout: float, targets: str | list[str]
) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
        # A multimodal model chats with text only here: its vision part would get no gradient.
        exclude_modules=_VISION if hasattr(model.config, "vision_config") else None,
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        raise RecipeError(first_line(error), field="adapter.targets") from error


def adapter_folder(path: str | Path) -> Path:
    """An adapter's folder: the path itself, or ``final_model`` of a run folder."""
    path = user_path(path)
    inside = path / "final_model"
    return inside if (inside / "adapter_config.json").is_file() else path


def base_model(adapter: Path, otherwise: str | None = None) -> str:
    """The model that an adapter names as its base, ``otherwise`` where it names none."""
    base = adapter_config(adapter).get("base_model_name_or_path") or otherwise
    if not isinstance(base, str):
        raise ModelError(
            "does not name its base model",
            file=adapter / "adapter_config.json",
            advice="name it with --model",
        )
    return base


def save_trained(
    model: Any,
    tokenizer: Any,
    folder: Path,
    prompt: PromptForm = "short",
    target: str = "tool",
    dtype: torch.dtype | None = None,
    weights_of: dict[str, torch.Tensor] | None = None,
) -> None:
    """Write adapter or model in ``dtype``, tokenizer, and prompt and target of the training.

    Whole or not at all. LoRA weights are stored in bfloat16: half the size of the float32 that
    they were trained in. ``weights_of`` is the whole state of a model that is split among
    processes.
    """
    if weights_of is not None:
        weights_of = {name: tensor.to(dtype) for name, tensor in weights_of.items()}
    elif dtype is not None:
        model = model.to(dtype)
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    model.save_pretrained(temporary, state_dict=weights_of)
    tokenizer.save_pretrained(temporary)
    weights = temporary / WEIGHTS
    if weights.is_file():
        tensors = {name: tensor.to(torch.bfloat16) for name, tensor in load_file(weights).items()}
        save_file(tensors, weights, metadata={"format": "pt"})
        _name_base(temporary / "adapter_config.json", model)
        (temporary / "README.md").unlink(missing_ok=True)
    write_prompt(temporary, prompt, target)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(temporary, folder)


def _name_base(config_path: Path, model: Any) -> None:
    """Name the base as the user named it, not by the cache folder it was loaded from."""
    config = json.loads(config_path.read_text("utf-8"))
    config["base_model_name_or_path"] = model.get_base_model().name_or_path
    config_path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
