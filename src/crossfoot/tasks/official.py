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
    conversations, turns = count_records(task, path)
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
        what = "questions" if task == "finqa" else "conversations"
        return False, f"not the official file: {counts[0]:,} of {known.conversations:,} {what}"
    if counts[1] != known.turns:
        return False, f"not the official file: {counts[1]:,} of {known.turns:,} turns"
    if known.sha256 is not None:
        return False, "not the official file: same counts, other sha256"
    return None, "official counts; sha256 not pinned by a download"


def count_records(task: str, path: Path) -> tuple[int, int]:
    """Conversations and turns of a task's file, without checking all its fields."""
    records = read_list(path)
    turns = sum(_turns(task, record, index, path) for index, record in enumerate(records))
    return len(records), turns


def _turns(task: str, record: Any, index: int, path: Path) -> int:
    kind = "qa" if task == "finqa" else "annotation"
    labels = record.get(kind) if isinstance(record, dict) else None
    questions = labels.get("dialogue_break") if isinstance(labels, dict) else None
    if isinstance(labels, dict) and task == "finqa":
        return 1
    if isinstance(questions, list):
        return len(questions)
    raise DataError(
        f"no {kind if task == 'finqa' else 'annotation.dialogue_break'} in it",
        file=path,
        record=f"number {index}",
        advice=f"give a file of the format of {'FinQA' if task == 'finqa' else 'ConvFinQA'}",
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
