"""Files of FinQA-style records: reading, checking, and turning them into samples.

A record is ``{"id": ..., "filename": "MRO/2007/page_134.pdf", "pre_text": [...], "table": [[...]],
"post_text": [...], ...}`` with more keys than are read here; a wrong one is reported as
``train.json, record MRO/2007/page_134.pdf-1, field table: ...``. Formats: FinQA
(https://github.com/czyssrs/FinQA) and ConvFinQA (https://github.com/czyssrs/ConvFinQA).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationError

from crossfoot.errors import DataError
from crossfoot.files import read_json
from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.units import infer_unit

_NO_ANSWER = ("", "n/a")
_ADVICE = "correct the record, or leave bad ones out with --skip-bad"


class SkippedRecords(UserWarning):
    """How many records of a file were left out, and why the first one was."""


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


def _with_cells(rows: list[list[str]]) -> list[list[str]]:
    if not any(cell.strip() for row in rows for cell in row):
        raise ValueError("holds no cell")
    return rows


def _answer(value: object) -> float | str | None:
    if value is None or value in _NO_ANSWER:
        return None
    if value in ("yes", "no"):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("should be a number, yes or no")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("should be a finite number")
    return number


Filled = Annotated[str, AfterValidator(_filled)]
# None where a record has no answer: its program does not execute, so it cannot be graded.
ExecutedAnswer = Annotated[float | str | None, PlainValidator(_answer)]


class Checked(BaseModel):
    """Fields are taken as they are written; keys that are not read are allowed."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class PageRecord(Checked):
    """The part that FinQA and ConvFinQA share: an id and a page."""

    id: Filled
    filename: Filled
    pre_text: list[str]
    table: Annotated[list[list[str]], AfterValidator(_with_cells)]
    post_text: list[str]

    def page(self) -> Page:
        """The page of this record."""
        table = Table(tuple(tuple(row) for row in self.table))
        return Page(self.filename, tuple(self.pre_text), table, tuple(self.post_text))


RecordT = TypeVar("RecordT", bound=PageRecord)


def make_turn(
    question: str,
    program: str,
    answer: float | str | None,
    page: Page,
    text: str = "",
    evidence: tuple[str, ...] = (),
) -> Turn:
    """A labelled turn with its unit inferred; without an answer it has no labels."""
    if answer is None:
        return Turn(question)
    unit = infer_unit(question, program, answer)
    return Turn(question, Gold(answer, program, unit, text, page, evidence))


def read_samples(
    path: Path, model: type[RecordT], build: Callable[[RecordT], Sample], skip_bad: bool
) -> list[Sample]:
    """The samples of a file, in its order.

    The first record that is not as ``model`` says is an error; with ``skip_bad`` such records are
    left out and their number is told by a ``SkippedRecords`` warning.
    """
    records = read_list(path)
    samples: list[Sample] = []
    errors: list[DataError] = []
    for index, record in enumerate(records):
        try:
            samples.append(build(_check(record, model, path, index)))
        except DataError as error:
            if not skip_bad:
                raise
            errors.append(error)
    if errors and not samples:
        raise errors[0]
    if errors:
        told = f"{path}: {len(errors)} of {len(records)} records skipped, the first: {errors[0]}"
        warnings.warn(told, SkippedRecords, stacklevel=3)
    return samples


def read_list(path: Path) -> list[Any]:
    """The records of a JSON file, unchecked."""
    records = read_json(Path(path))
    if not isinstance(records, list):
        raise DataError("not a list of records", file=path, advice="give a JSON file of records")
    if not records:
        raise DataError("holds no record", file=path, advice="give a JSON file of records")
    return records


def _check(record: object, model: type[RecordT], path: Path, index: int) -> RecordT:
    try:
        return model.model_validate(record)
    except ValidationError as error:
        named = record.get("id") if isinstance(record, dict) else None
        problem, *others = error.errors(include_url=False, include_input=False)
        said = problem["msg"].removeprefix("Value error, ")
        more = f" (and {len(others)} more fields are wrong)" if others else ""
        raise DataError(
            said[:1].lower() + said[1:] + more,
            file=path,
            record=named[:80] if isinstance(named, str) and named else f"number {index}",
            field=_field_name(problem["loc"]) or None,
            advice=_ADVICE,
        ) from None


def _field_name(location: tuple[int | str, ...]) -> str:
    """``("annotation", "turn_program", 2)`` is ``annotation.turn_program[2]``."""
    name = ""
    for part in location:
        name += f"[{part}]" if isinstance(part, int) else f".{part}"
    return name.removeprefix(".")
