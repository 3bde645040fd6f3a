"""A tuned model as one artefact: safetensors of transformers, or a GGUF.

``export_merged(find_tuned("runs/mine"), Path("mine-merged"))``

An adapter is merged into its base in bfloat16, which is what the engines run. What is written is
there whole or not at all. ``cached_merged`` and ``cached_gguf`` keep one in the user's cache, for
servers and engines that take no adapter.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError

from crossfoot.chat.template import Chat
from crossfoot.errors import ModelError
from crossfoot.files import user_path
from crossfoot.models.adapters import adapter_folder, base_model
from crossfoot.models.embedded import EMBEDDED, cache_folder, shipped_adapter
from crossfoot.models.gguf import GgufType, write_gguf
from crossfoot.models.loading import (
    adapter_config,
    load_adapter,
    load_config,
    load_model,
    load_tokenizer,
    resolve,
)
from crossfoot.models.prompts import prompt_of, target_of, write_prompt
from crossfoot.models.weights import weights_sha256

SHIPPED = "shipped"
_ONE_FILE = "10TB"


@dataclass(frozen=True, slots=True)
class Tuned:
    """A model's name or folder, and the adapter on top of it; None where all weights were trained.

    ``name`` is what files are called by default.
    """

    name: str
    model: str
    adapter: Path | None = None


def find_tuned(run: str, base: str | None = None) -> Tuned:
    """What a run folder, an adapter folder or a model's folder holds.

    ``shipped`` is the adapter that comes with the package. ``base`` overrides the base model that
    the adapter, or else the run's recipe, names.
    """
    if run == SHIPPED:
        return Tuned(shipped_adapter().name, base or EMBEDDED, shipped_adapter())
    folder = user_path(run)
    name = folder.resolve().name
    adapter = adapter_folder(folder)
    if (adapter / "adapter_config.json").is_file():
        return Tuned(name, base or base_model(adapter, _recipe_model(folder)), adapter)
    for model in (folder / "final_model", folder):
        if (model / "config.json").is_file():
            return Tuned(name, str(model))
    raise ModelError(
        "neither a run nor an adapter nor a model is here",
        file=folder,
        advice=f"give a run folder, an adapter's folder, or {SHIPPED}",
    )


def _recipe_model(run: Path) -> str | None:
    """The model that a run's recipe names, if there is a recipe."""
    try:
        recipe = yaml.safe_load((run / "recipe.yaml").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    model = recipe.get("model") if isinstance(recipe, dict) else None
    return model if isinstance(model, str) else None


def load_tuned(tuned: Tuned) -> Any:
    """The model in bfloat16, its adapter merged into it."""
    model = load_model(tuned.model)
    if tuned.adapter is None:
        return model
    merged = load_adapter(model, tuned.adapter).merge_and_unload()
    merged.name_or_path = tuned.name
    return merged


def export_merged(tuned: Tuned, folder: Path) -> None:
    """Write a folder that ``AutoModelForCausalLM.from_pretrained`` and ``AutoTokenizer`` take."""
    _refuse_existing(folder)
    _write_merged(tuned, folder)


def export_gguf(tuned: Tuned, path: Path, kind: GgufType) -> None:
    """Write a GGUF file; its bounds are in models/gguf.py."""
    _refuse_existing(path)
    _write_gguf(tuned, path, kind)


def cached_merged(tuned: Tuned, *, write: bool = True) -> Path:
    """The folder of a merged export in the user's cache, which is made at first use.

    ``write=False`` only names the place.
    """
    folder = cache_folder() / "merged" / f"{tuned.name}-{_key(tuned)}"
    if write and not folder.exists():
        _write_merged(tuned, folder)
    return folder


def cached_gguf(tuned: Tuned, kind: GgufType) -> Path:
    """A GGUF in the user's cache, which is made at first use."""
    path = cache_folder() / "gguf" / f"{tuned.name}-{_key(tuned)}-{kind}.gguf"
    if not path.exists():
        _write_gguf(tuned, path, kind)
    return path


def _key(tuned: Tuned) -> str:
    """What an export is a function of: this program, the weights, how an adapter is applied."""
    source = Path(resolve(tuned.model))
    weights = weights_sha256(source) or getattr(load_config(tuned.model), "_commit_hash", None)
    parts: list[Any] = [metadata.version("crossfoot"), tuned.model, weights]
    if tuned.adapter is not None:
        parts += [sorted(adapter_config(tuned.adapter).items()), weights_sha256(tuned.adapter)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _write_merged(tuned: Tuned, folder: Path) -> None:
    tokenizer = load_tokenizer(tuned.model)
    model = load_tuned(tuned)
    if getattr(tokenizer, "chat_template", None) and model.generation_config is not None:
        model.generation_config.eos_token_id = sorted(Chat(tokenizer).stop_ids)
    with _whole(folder) as temporary:
        model.save_pretrained(temporary, max_shard_size=_ONE_FILE)
        tokenizer.save_pretrained(temporary)
        put = (tuned.adapter, tuned.model)
        write_prompt(temporary, prompt_of(None, *put), target_of(*put))


def _write_gguf(tuned: Tuned, path: Path, kind: GgufType) -> None:
    tokenizer = load_tokenizer(tuned.model)
    model = load_tuned(tuned)
    with _whole(path) as temporary:
        write_gguf(model, tokenizer, temporary, kind)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise ModelError("is there already", file=path, advice="name another with --output")


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A path to write to that becomes ``target`` when all went well, and is gone otherwise."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as temporary:
            part = Path(temporary) / "part"
            yield part
            os.replace(part, target)
    except (OSError, SafetensorError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ModelError(
            f"cannot write this export: {reason}",
            file=target,
            advice="is there room on this disk, and may you write there?",
        ) from error
