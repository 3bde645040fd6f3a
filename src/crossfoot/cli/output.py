"""Where the command line writes: one JSON document on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(stderr=True)


def print_json(document: Any) -> None:
    """Write ``document`` as the one JSON document on stdout."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def print_table(table: Table) -> None:
    """Write a table on stdout, for people."""
    Console().print(table)
