"""Engines by name, from a model and an adapter."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

from crossfoot.chat.template import Chat
from crossfoot.engines.base import Engine
from crossfoot.engines.constraint import call_constraint
from crossfoot.engines.local import TransformersEngine
from crossfoot.errors import RecipeError
from crossfoot.models.adapters import adapter_folder
from crossfoot.models.embedded import EMBEDDED
from crossfoot.models.loading import load_adapter, load_model, load_tokenizer

ENGINES = ("transformers",)
NO_ADAPTER = "none"


def shipped_adapter() -> Path:
    """The adapter for the embedded model that comes with the package."""
    return Path(str(files("crossfoot") / "shipped" / "smollm2-135m-convfinqa"))


def resolve_adapter(model: str, adapter: str | None) -> Path | None:
    """The adapter's folder; by default the shipped one where the model is the embedded one."""
    if adapter == NO_ADAPTER:
        return None
    if adapter is not None:
        return adapter_folder(adapter)
    return shipped_adapter() if model == EMBEDDED else None


def weights_sha256(folder: Path) -> str | None:
    """What identifies the weights in a local folder; None where ``folder`` is a model's name."""
    if not folder.is_dir():
        return None
    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def build_engine(
    name: str,
    model: str,
    adapter: Path | None,
    *,
    dtype: str = "bfloat16",
    constrained: bool = False,
) -> Engine:
    """Load a model with its adapter into an engine."""
    if name not in ENGINES:
        raise RecipeError(f"unknown engine {name!r}", advice=f"known are {', '.join(ENGINES)}")
    chat = Chat(load_tokenizer(model))
    weights = load_model(model, dtype=dtype)
    if adapter is not None:
        weights = load_adapter(weights, adapter).merge_and_unload()
    return TransformersEngine(
        weights, chat, constraint=call_constraint(chat) if constrained else None
    )
