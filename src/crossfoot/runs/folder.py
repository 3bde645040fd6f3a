"""The folder that a recipe leaves behind.

``RunFolder(Path("runs/mine")).read_json("timing.json")`` is one of its files.

Files are written to a temporary name and renamed, so that a reader never sees half of one; lines
are appended whole, and a last line that was cut off by a kill is dropped when reading.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from crossfoot.errors import DataError

PREDICTIONS = "test_predictions.jsonl"  # of an evaluation, a turn a line
SETTINGS = "evaluation.json"  # and how they were made
FINAL = "final_model"  # weights of a finished training, in its run folder
PACKAGES = ("crossfoot", "torch", "transformers", "peft", "trl", "accelerate", "tokenizers")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Reads and writes the files of one run."""

    path: Path

    def create(self) -> None:
        """Make the folder; DataError where a file stands in its place."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise DataError("a file stands where this folder should go", file=self.path) from error
        except OSError as error:
            raise DataError(
                f"cannot create this folder: {error.strerror}", file=self.path
            ) from error

    def write_text(self, name: str, text: str) -> Path:
        """Write a whole file or nothing; DataError where that cannot be."""
        target = self.path / name
        temporary = target.with_name(f".{target.name}.part")
        with _writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(text, "utf-8")
                os.replace(temporary, target)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        return target

    def write_json(self, name: str, document: Any) -> Path:
        """Write one JSON document."""
        return self.write_text(name, json.dumps(document, indent=2, ensure_ascii=False) + "\n")

    def read_json(self, name: str) -> Any:
        """Read one JSON document."""
        path = self.path / name
        try:
            return json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise DataError("no such file in this run folder", file=path) from error
        except ValueError as error:
            raise DataError("not readable as JSON", file=path) from error

    def append_lines(self, name: str, records: Iterable[Any]) -> None:
        """Append records to a JSON Lines file and flush them to the disk."""
        target = self.path / name
        with _writing(target), target.open("a", encoding="utf-8") as stream:
            stream.write(_as_lines(records))
            stream.flush()
            os.fsync(stream.fileno())

    def write_lines(self, name: str, records: Iterable[Any]) -> Path:
        """Write a whole JSON Lines file or nothing."""
        return self.write_text(name, _as_lines(records))

    def read_lines(self, name: str) -> list[Any]:
        """Records of a JSON Lines file, none where it is absent; a cut-off last line is dropped."""
        path = self.path / name
        if not path.is_file():
            return []
        *lines, _ = path.read_bytes().split(b"\n")
        try:
            return [json.loads(line) for line in lines if line]
        except ValueError as error:
            raise DataError("a line is not readable as JSON", file=path) from error


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", file=target) from error


def _as_lines(records: Iterable[Any]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def environment() -> dict[str, Any]:
    """What a run was made with: versions and machine, no names or keys."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "packages": versions,
    }
