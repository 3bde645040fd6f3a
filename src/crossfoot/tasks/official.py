"""The official files: where they are, how they are known, and whether a file is one of them.

``describe("finqa", "dev", path).status`` is ``official``, or ``not the official file: 709 of 3,037
conversations``. Hashes of FinQA's files (https://github.com/czyssrs/FinQA) are known; of ConvFinQA
(https://github.com/czyssrs/ConvFinQA) only the counts are, so the hashes of the first download that
has them are pinned in ``pins.json`` of the data folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfoot.errors import DataError
from crossfoot.tasks.records import read_list

PINS = "pins.json"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class OfficialFile:
    """What is known of an official file; ``sha256`` and ``size`` are None for ConvFinQA."""

    conversations: int
    turns: int
    sha256: str | None = None
    size: int | None = None


OFFICIAL: dict[str, dict[str, OfficialFile]] = {
    "finqa": {
        "train": OfficialFile(
            6251, 6251, "9862301c1a28f78bfb59050203bf66b13719c4720cd18291a069331b21c63352", 80120075
        ),
        "dev": OfficialFile(
            883, 883, "27cc6c57487bbaba73041f93dba831a39b1cabe999c2ec0ddebc6f1200ff85bd", 11222546
        ),
        "test": OfficialFile(
            1147, 1147, "37a6e6e198b7821dc080f079d43a4a7a9d3a7b562803b7e97875bf70cd61fb08", 14750900
        ),
    },
    "convfinqa": {"train": OfficialFile(3037, 11104), "dev": OfficialFile(421, 1490)},
}


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file of the data folder is; ``official`` is None where nobody can tell."""

    task: str
    split: str
    path: Path
    size: int
    sha256: str
    conversations: int
    turns: int
    official: bool | None
    status: str


def describe(task: str, split: str, path: Path, pins: dict[str, str]) -> FileReport:
    """Counts and hash of a file, and whether it is the official one."""
    conversations, turns = count_records(path)
    digest = file_sha256(path)
    official, status = _identify(task, split, (conversations, turns), digest, pins)
    size = path.stat().st_size
    return FileReport(task, split, path, size, digest, conversations, turns, official, status)


def _identify(
    task: str, split: str, counts: tuple[int, int], digest: str, pins: dict[str, str]
) -> tuple[bool | None, str]:
    known = OFFICIAL.get(task, {}).get(split)
    if known is None:
        return None, "no official file exists"
    if digest in (known.sha256, pins.get(f"{task}/{split}.json")):
        return True, "official"
    if counts[0] != known.conversations:
        return False, (
            f"not the official file: {counts[0]:,} of {known.conversations:,} conversations"
        )
    if counts[1] != known.turns:
        return False, f"not the official file: {counts[1]:,} of {known.turns:,} turns"
    if known.sha256 is not None:
        return False, "not the official file: the counts are the same, the sha256 is another"
    return None, "counts of the official file (its sha256 is pinned by a download only)"


def count_records(path: Path) -> tuple[int, int]:
    """Conversations and turns of a FinQA or ConvFinQA file, without checking all its fields."""
    records = read_list(path)
    return len(records), sum(_turns(record, index, path) for index, record in enumerate(records))


def _turns(record: Any, index: int, path: Path) -> int:
    if isinstance(record, dict):
        annotation = record.get("annotation")
        if isinstance(annotation, dict) and isinstance(annotation.get("dialogue_break"), list):
            return len(annotation["dialogue_break"])
        if isinstance(record.get("qa"), dict):
            return 1
    raise DataError(
        "neither qa (FinQA) nor annotation.dialogue_break (ConvFinQA)",
        file=path,
        record=f"number {index}",
        advice="give a file of FinQA or ConvFinQA records",
    )


def file_sha256(path: Path) -> str:
    """The sha256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_pins(folder: Path) -> dict[str, str]:
    """The hashes pinned in this data folder, by ``convfinqa/data.zip``; none where none are."""
    path = folder / PINS
    if not path.exists():
        return {}
    try:
        pins = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"not readable ({error})", file=path, advice=_DELETE_PINS) from None
    if not isinstance(pins, dict) or not all(_is_digest(pin) for pin in pins.values()):
        raise DataError("not a table of sha256 hashes", file=path, advice=_DELETE_PINS)
    return pins


_DELETE_PINS = "delete it; the next download pins anew"


def write_pins(folder: Path, pins: dict[str, str]) -> None:
    """Replace the pinned hashes of this data folder."""
    temporary = folder / f"{PINS}.part"
    temporary.write_text(json.dumps(pins, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(temporary, folder / PINS)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= _HEX
