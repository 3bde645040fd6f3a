"""Where the command line writes: one JSON document on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from crossfoot.errors import DataError
from crossfoot.runs.folder import RunFolder
from crossfoot.tasks.records import SkippedRecords

console = Console(stderr=True)


def print_json(document: Any) -> None:
    """Write ``document`` as the one JSON document on stdout."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def print_table(table: Table) -> None:
    """Write a table on stdout, for people."""
    Console().print(table)


@contextmanager
def skips_on_stderr() -> Iterator[None]:
    """Say what was skipped in a line of its own, without Python's decoration of warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SkippedRecords)
        yield
    for warning in caught:
        console.print(str(warning.message), markup=False, soft_wrap=True)


@contextmanager
def writing(path: Path, option: str = "--output") -> Iterator[RunFolder]:
    """The folder to write ``path`` into; what goes wrong is told with the option that named it.

    Make what is to be written before: its own errors are not about the option.
    """
    advice = f"give another {option}"
    folder = RunFolder(path.parent)
    try:
        if not path.name or path.is_dir():
            raise DataError("is a folder", file=path)
        folder.create()
        yield folder
    except DataError as error:
        raise DataError(error.message, file=error.file, advice=advice) from None
    except OSError as error:
        said = error.strerror or "cannot be written"
        raise DataError(said, file=path, advice=advice) from None
