"""Base and adapter in one model's folder in the user's cache, for servers without adapters."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from crossfoot.engines.build import weights_sha256
from crossfoot.errors import ModelError
from crossfoot.models.embedded import cache_folder
from crossfoot.models.loading import load_adapter, load_model, load_tokenizer, resolve


def merged_folder(model: str, adapter: Path | None, *, write: bool = True) -> str:
    """Where ``model`` with ``adapter`` merged into it lies, whole; it is made at first use.

    ``write=False`` only names the place, which is a function of both weights.
    """
    if adapter is None:
        return resolve(model)
    source = Path(resolve(model))
    parts = (model, weights_sha256(source), weights_sha256(adapter))
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    folder = cache_folder() / "merged" / f"{Path(model).name}-{key}"
    if write and not (folder / "config.json").is_file():
        _merge(model, adapter, folder)
    return str(folder)


def _merge(model: str, adapter: Path, folder: Path) -> None:
    merged = load_adapter(load_model(model), adapter).merge_and_unload()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".merge-") as temporary:
            whole = Path(temporary) / "model"
            merged.save_pretrained(whole)
            load_tokenizer(model).save_pretrained(whole)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(whole, folder)
    except OSError as error:
        raise ModelError(
            f"cannot write the merged model: {error.strerror or error}",
            file=folder,
            advice="name a folder that can be written in CROSSFOOT_CACHE",
        ) from error
