"""Saved predictions, in four formats, and the gold answers they are graded against.

Ours is JSONL, a turn a line: ``{"id": "Single_MRO/2007/page_134.pdf-1", "page": "MRO/2007/...",
"turn": 2, "answer": {"value": 35.8, "unit": "absolute", "text": "35.8"}, "expressions":
["60.94 - 25.14"], ...}``. FinQA's script (https://github.com/czyssrs/FinQA) reads a list of
``{"id", "predicted"}``, ConvFinQA's (https://github.com/czyssrs/ConvFinQA) an object
``{key: [{"id", "pred_prog", "ref_prog"}]}`` of which it takes the first of each list. Predictions
of other trainers are text, a line each (``texts.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from crossfoot.arithmetic.program import tokenize
from crossfoot.errors import DataError
from crossfoot.evaluation.gold import GoldSet, TurnKey, turn_key
from crossfoot.evaluation.texts import foreign_keys, read_texts
from crossfoot.files import parse_json, read_text
from crossfoot.grading.answer import Answer, Gold, Submission, Unit
from crossfoot.grading.texts import Form, submission_of

Format = Literal["crossfoot", "finqa", "convfinqa", "text"]


class SavedAnswer(BaseModel):
    """An ``Answer`` as it is written to disk."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    value: float | str
    unit: Unit
    text: str = ""

    @model_validator(mode="after")
    def _value_fits_unit(self) -> Self:
        if isinstance(self.value, str) != (self.unit == "yes_no"):
            raise ValueError(f"value {str(self.value)[:40]!r} does not fit the unit {self.unit}")
        return self


class SavedVerdict(BaseModel):
    """A ``Verdict`` as it is written to disk."""

    correct: bool
    error: str | None = None
    reason: str = ""


class Prediction(BaseModel):
    """One turn of a predictions file of ours; ``id`` and ``turn`` together are its identity.

    A question that was answered in one reply has ``target``, what was to be written, and
    ``prediction``, what was.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    id: str
    page: str
    turn: int = Field(ge=0)
    question: str = ""
    target: Form | None = None
    prediction: str | None = None
    program: str = ""
    gold: float | str | None = None
    unit: Unit | None = None
    answer: SavedAnswer | None
    expressions: list[str] = []
    malformed: bool = False
    verdict: SavedVerdict | None = None
    messages: list[dict[str, Any]] = []
    latency_ms: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def submission(self) -> Submission:
        """What grading may look at."""
        if self.target is not None:
            return submission_of(self.prediction or "", self.target)
        saved = self.answer
        answer = Answer(saved.value, saved.unit, saved.text) if saved else None
        return Submission(answer, tuple(self.expressions), self.malformed)


@dataclass(frozen=True, slots=True)
class Item:
    """One gold turn and what was submitted for it; None where the file has no line for it."""

    name: str
    page: str
    gold: Gold
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A predictions file matched to its gold file, one item a gold turn."""

    format: Format
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One prediction of any format; ``reference`` is the gold program where it has its own."""

    name: str
    key: TurnKey
    submission: Submission
    reference: str | None = None


def read_predictions(path: Path) -> list[Prediction]:
    """The lines of a predictions file of ours."""
    predictions = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            predictions.append(_prediction(line, path, number))
    return predictions


def match(path: Path, gold: GoldSet, form: Form | None = None) -> Submitted:
    """Read predictions of any of the four formats and match them to the gold turns.

    ``form`` says what predictions are that are nothing but text.
    """
    format_, lines = _read_lines(path, gold, form)
    if format_ not in ("crossfoot", "text") and format_ != gold.kind:
        raise DataError(
            f"these are predictions in the format of {format_}, but {gold.path} is {gold.kind}",
            file=path,
            advice="give the gold file that belongs to them with --gold",
        )
    found: dict[TurnKey, _Line] = {}
    for line in lines:
        if line.key in found:
            raise DataError(
                "predicted twice", file=path, record=line.name, advice="keep one line a turn"
            )
        if line.key not in gold.turns and line.key not in gold.unlabelled:
            raise DataError(
                "no such turn in the gold file",
                file=path,
                record=line.name,
                advice=f"is {gold.path} the right --gold?",
            )
        found[line.key] = line
    items = []
    for key, turn in gold.turns.items():
        matched = found.get(key)
        right = turn.gold
        if matched and matched.reference is not None:
            right = replace(right, program=matched.reference)
        name = turn.name
        items.append(Item(name, turn.page, right, matched.submission if matched else None))
    return Submitted(format_, tuple(items))


def _read_lines(path: Path, gold: GoldSet, form: Form | None) -> tuple[Format, list[_Line]]:
    text = read_text(path)
    start = text.lstrip()[:1]
    if start == "[":
        return "finqa", list(_finqa_lines(parse_json(text, path), path))
    if start == "{" and not _is_jsonl(text):
        return "convfinqa", list(_convfinqa_lines(parse_json(text, path), path))
    foreign = foreign_keys(text)
    if start == "{" and foreign is not None and "prediction" in foreign:
        return "text", [
            _Line(name, _text_key(name, gold), submission)
            for name, submission in read_texts(text, form, path)
        ]
    if start != "{" or foreign is not None:
        raise DataError(
            "no predictions",
            file=path,
            advice="expected JSONL with id and prediction, ours, or official JSON",
        )
    ours = read_predictions(path)
    return "text" if any(one.target for one in ours) else "crossfoot", [
        _Line(f"{one.id} turn {one.turn}", (one.id, one.turn), one.submission()) for one in ours
    ]


def _text_key(name: str, gold: GoldSet) -> TurnKey:
    """The only turn of that name where the gold file has one, else what ``<name>_<turn>`` says."""
    whole = (name, 0)
    known = whole in gold.turns or whole in gold.unlabelled
    return whole if known else turn_key(name) or whole


def _is_jsonl(text: str) -> bool:
    """Does the first line alone hold a prediction of ours, be it a damaged one?"""
    first = text.lstrip().split("\n", 1)[0]
    try:
        document = json.loads(first)
    except ValueError:
        return first.startswith('{"id"')
    except RecursionError:
        return False
    return isinstance(document, dict) and not all(
        isinstance(one, list) for one in document.values()
    )


def _prediction(line: str, path: Path, number: int) -> Prediction:
    try:
        return Prediction.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DataError(first["msg"], file=path, record=f"line {number}", field=field) from None


def _finqa_lines(document: Any, path: Path) -> Iterable[_Line]:
    for place, record in enumerate(document):
        name = _text_field(record, "id", path, place)
        tokens = _tokens(record, "predicted", path, name)
        yield _Line(name, (name, 0), Submission(program=tokens))


def _convfinqa_lines(document: Any, path: Path) -> Iterable[_Line]:
    for key, candidates in document.items():
        if not isinstance(candidates, list) or not candidates:
            raise DataError("expected a list of predictions", file=path, record=key)
        record = candidates[0]
        name = _text_field(record, "id", path, key)
        turn = turn_key(name)
        if turn is None:
            raise DataError("expected <conversation>_<turn>", file=path, record=key, field="id")
        reference = _program_text(_tokens(record, "ref_prog", path, name), path, name)
        submission = Submission(program=_tokens(record, "pred_prog", path, name))
        yield _Line(name, turn, submission, reference)


def _program_text(tokens: tuple[str, ...], path: Path, name: str) -> str:
    """The program that these gold tokens come from."""
    parts = []
    for start in range(0, len(tokens) - 1, 4):
        step = tokens[start : start + 4]
        parts.append(
            f"{step[0]}{', '.join(step[1:3])})" if len(step) == 4 else ", ".join(step[:-1])
        )
    text = ", ".join(parts) if len(tokens) > 2 else tokens[0] if tokens else ""
    if tokenize(text) != tokens:
        raise DataError(
            "not a program in the official tokens, EOF included",
            file=path,
            record=name,
            field="ref_prog",
        )
    return text


def _text_field(record: Any, field: str, path: Path, place: str | int) -> str:
    value = record.get(field) if isinstance(record, dict) else None
    if not isinstance(value, str) or not value:
        raise DataError("expected a text", file=path, record=place, field=field)
    return value


def _tokens(record: Any, field: str, path: Path, name: str) -> tuple[str, ...]:
    tokens = record.get(field)
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise DataError("expected a list of program tokens", file=path, record=name, field=field)
    return tuple(tokens)
