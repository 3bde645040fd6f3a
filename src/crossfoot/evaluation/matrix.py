"""The same predictions under every grader, side by side.

Why: one model's saved FinQA predictions score 76.6 exactly, 77.0 within 1% and 80.1 with any scale
and sign, so a figure means nothing without its grader's name. ``score(submitted, gold)`` gives all
of them with intervals over pages. The denominator is the gold set; that of the official scripts,
the submitted predictions only, stands beside it. Scripts: https://github.com/czyssrs/FinQA,
https://github.com/czyssrs/ConvFinQA.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossfoot.errors import DataError
from crossfoot.evaluation.gold import GoldSet
from crossfoot.evaluation.intervals import page_bootstrap
from crossfoot.evaluation.measures import GROUPS, Measure, grouped, measures
from crossfoot.evaluation.predictions import Item, Submitted
from crossfoot.grading.answer import Submission
from crossfoot.grading.graders import GRADERS, is_correct, official_script_crashes
from crossfoot.grading.verdict import ERROR_CLASSES, grade

_NOTHING = Submission()


@dataclass(frozen=True, slots=True)
class Score:
    """A share of all gold turns with its interval, and of the submitted ones alone."""

    accuracy: float
    low: float
    high: float
    correct: int
    total: int
    submitted_accuracy: float | None
    submitted_total: int


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where the official scripts do something odd with these programs.

    ``script_crashes`` are programs that equal the gold one but execute to another result, where
    the script ends in an AssertionError: counted as wrong here, named for people.
    """

    script_crashes: tuple[str, ...]
    without_eof: int
    empty_programs: int
    table_operation_on_a_step: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """All scores of one predictions file; None where there is no such thing to count.

    ``by_steps`` and its like are the official score of the gold turns of each kind
    (evaluation/groups.py); ``audited_accuracy`` that of turns whose labels do not contradict each
    other (tasks/suspicious.py), ``answer_accuracy`` that of turns with an answer string,
    ``program_validity`` the share of turns for which a program was submitted that parses and
    executes.
    """

    gold_turns: int
    submitted: int
    missing: int
    without_answer: int
    graders: dict[str, Score]
    audited_accuracy: Score | None
    program_accuracy: Score | None
    unit_accuracy: Score | None
    operands_named: Score | None
    answer_accuracy: Score | None
    program_validity: Score | None
    by_steps: dict[str, Score]
    by_operation: dict[str, Score]
    by_evidence: dict[str, Score]
    by_evidence_source: dict[str, Score]
    errors: dict[str, int]
    quirks: Quirks | None


def score(submitted: Submitted, gold: GoldSet) -> Matrix:
    """Grade every item by every grader.

    ``official`` is the rule of the script that belongs to the gold file, FinQA's or ConvFinQA's.
    """
    items = submitted.items
    if not items:
        raise DataError("no turn has an answer to grade by", file=gold.path)
    convfinqa = gold.kind == "convfinqa"
    programs = any(item.submission and item.submission.program is not None for item in items)
    official = "official_convfinqa" if convfinqa else "official"
    rules = {name: name for name in GRADERS if name != "official_convfinqa"} | {
        "official": official
    }
    verdicts = [grade(item.submission or _NOTHING, item.gold, official) for item in items]
    hits = [(item, verdict.correct) for item, verdict in zip(items, verdicts, strict=True)]
    answered = sum(_answered(item) for item in items)
    with_operations = programs or submitted.format != "text"
    applies = {
        "program_accuracy": with_operations,
        "operands_named": with_operations,
        "program_validity": programs,
        "unit_accuracy": submitted.format == "crossfoot",
    }
    found: dict[str, Any] = {
        name: _counted(items, measure) if applies.get(name, True) else None
        for name, measure in measures(official, convfinqa).items()
    }
    for name, keys in GROUPS.items():
        groups = grouped(hits, [keys(item.gold) for item in items])
        found[name] = {key: _score(group) for key, group in groups.items()}
    return Matrix(
        gold_turns=len(items),
        submitted=answered,
        missing=sum(item.submission is None for item in items),
        without_answer=sum(item.submission is not None and not _answered(item) for item in items),
        graders={
            name: _score(
                [(item, is_correct(item.submission or _NOTHING, item.gold, rule)) for item in items]
            )
            for name, rule in rules.items()
        },
        **found,
        errors=_errors([verdict.error for verdict in verdicts]),
        quirks=_quirks(items, convfinqa) if programs else None,
    )


def _answered(item: Item) -> bool:
    submission = item.submission
    return submission is not None and (
        submission.answer is not None or submission.program is not None
    )


def _counted(items: Sequence[Item], measure: Measure) -> Score | None:
    """The score by a measure, of the items where it counts anything; None where of no item."""
    found = [(item, measure(item.submission or _NOTHING, item.gold)) for item in items]
    told = [(item, hit) for item, hit in found if hit is not None]
    return _score(told) if told else None


def _score(hits: Sequence[tuple[Item, bool]]) -> Score:
    right = [hit for _, hit in hits]
    interval = page_bootstrap(right, [item.page for item, _ in hits])
    answered = [hit for item, hit in hits if _answered(item)]
    return Score(
        accuracy=interval.mean,
        low=interval.low,
        high=interval.high,
        correct=sum(right),
        total=len(right),
        submitted_accuracy=sum(answered) / len(answered) if answered else None,
        submitted_total=len(answered),
    )


def _errors(errors: list[str | None]) -> dict[str, int]:
    counts = Counter(errors)
    return {name: counts[name] for name in ERROR_CLASSES if counts[name]}


def _quirks(items: tuple[Item, ...], convfinqa: bool) -> Quirks:
    programs = [
        (item, item.submission.program)
        for item in items
        if item.submission is not None and item.submission.program is not None
    ]
    return Quirks(
        script_crashes=tuple(
            item.name
            for item, program in programs
            if official_script_crashes(program, item.gold, convfinqa)
        ),
        without_eof=sum(bool(program) and program[-1] != "EOF" for _, program in programs),
        empty_programs=sum(len(program) <= 1 for _, program in programs),
        table_operation_on_a_step=sum(
            token.startswith("table_")
            and program[place + 1 : place + 2] != ()
            and "#" in program[place + 1]
            for _, program in programs
            for place, token in enumerate(program)
        ),
    )
