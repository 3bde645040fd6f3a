"""Base and adapter in one model's folder in the user's cache, for servers without adapters."""

from __future__ import annotations

import hashlib
from pathlib import Path

from crossfoot.engines.build import weights_sha256
from crossfoot.models.embedded import cache_folder
from crossfoot.models.export import Tuned, export_merged
from crossfoot.models.loading import resolve


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
        export_merged(Tuned(folder.name, model, adapter), folder)
    return str(folder)
