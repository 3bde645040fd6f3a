"""Predictions that are nothing but text: a program, a number or an answer string.

A line is ``{"id": "V/2008/page_17.pdf-1", "prediction": "divide(637, const_5)"}``; other keys, such
as those of ``crossfoot data build``, are allowed. How the text is meant is said once for a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from crossfoot.errors import DataError
from crossfoot.grading.answer import Submission
from crossfoot.grading.texts import FORMS, Form, submission_of


def foreign_keys(text: str) -> set[str] | None:
    """The keys of the first line, if it is readable and no line of ours, which has a turn."""
    try:
        first = json.loads(text.lstrip().split("\n", 1)[0])
    except (ValueError, RecursionError):
        return None
    return set(first) if isinstance(first, dict) and "turn" not in first else None


def read_texts(text: str, form: Form | None, path: Path) -> Iterator[tuple[str, Submission]]:
    """Id and submission of each line; DataError where ``form`` is not said."""
    if form is None:
        raise DataError(
            "these predictions are text",
            file=path,
            advice=f"say what kind with --as {'|'.join(FORMS)}",
        )
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            name, prediction = record["id"], record["prediction"]
        except (ValueError, RecursionError, TypeError, KeyError):
            name = prediction = None
        if not isinstance(name, str) or not isinstance(prediction, str):
            raise DataError(
                "expected id and prediction, both text", file=path, record=f"line {number}"
            )
        yield name, submission_of(prediction, form)
