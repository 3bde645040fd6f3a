"""What identifies weights on disk: the sha256 of their safetensors files. Needs no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_hashes(folder: Path) -> dict[str, str]:
    """The sha256 of each file of weights in a folder, by its name."""
    hashes = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as stream:
            hashes[path.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes


def weights_sha256(folder: Path) -> str | None:
    """All of them in one; None where ``folder`` is a model's name and no folder."""
    if not folder.is_dir():
        return None
    digests = (bytes.fromhex(digest) for digest in file_hashes(folder).values())
    return hashlib.sha256(b"".join(digests)).hexdigest()
