"""Reading a file that a user names: its text or its JSON, or one line that says what is wrong.

``read_json(Path("missing.json"))`` raises ``missing.json: No such file or directory; check the
path``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from crossfoot.errors import DataError

MAX_FILE_BYTES = 1 << 30


def user_path(named: Path | str) -> Path:
    """A path as its user means it, ``~`` for the home; of an unknown user it stays, and is none."""
    return Path(os.path.expanduser(named))


def read_text(path: Path) -> str:
    """The text of a file of at most one GiB."""
    try:
        if path.is_dir():
            raise DataError("is a folder", file=path, advice="give one of the files in it")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DataError(f"larger than {MAX_FILE_BYTES >> 20} MiB", file=path)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DataError("is not a text file", file=path, advice="save it in UTF-8") from None
    except OSError as error:
        raise DataError(
            error.strerror or "cannot be read", file=path, advice="check the path"
        ) from None


def read_json(path: Path) -> Any:
    """The one JSON document of a file."""
    return parse_json(read_text(path), path)


def parse_json(text: str, path: Path) -> Any:
    """The one JSON document in the text of the file ``path``."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"not valid JSON ({error})", file=path, advice="it may be truncated: get it again"
        ) from None
