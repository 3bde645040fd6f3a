"""Graders by name: is a submission right, by this rule?

``is_correct(Submission(Answer(14.24, "percent")), Gold(0.1424, ...))`` is True under ``official``:
divided by 100 because it is a percentage, rounded to five decimals, equal to FinQA's ``exe_ans``.
The official rules are those of FinQA's script (https://github.com/czyssrs/FinQA) and ConvFinQA's
(https://github.com/czyssrs/ConvFinQA); ``exact_string`` is that of PIXIU's leaderboard
(https://github.com/The-FinAI/PIXIU). The numeric graders are a ladder, each kinder than the one
before: official, relative_1e-3, relative_1e-2, scale_aware, sign_blind.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import replace

from crossfoot.arithmetic.equivalence import equal_programs
from crossfoot.arithmetic.expression import fold, unfold
from crossfoot.arithmetic.program import execute_official, number, tokenize
from crossfoot.errors import ProgramError, RecipeError
from crossfoot.grading.answer import Gold, Submission
from crossfoot.pages.table import Table

Grader = Callable[[Submission, Gold], bool]

# Percent against fraction, and "in thousands", "in millions", "in billions" read or missed.
SCALES = (100.0, 1e3, 1e6, 1e9)
MAX_PROGRAM_TOKENS = 4_000

NO_TABLE = Table(())


def is_correct(submission: Submission, gold: Gold, grader: str = "official") -> bool:
    """Whether the submission is right by the grader of that name."""
    return grader_named(grader)(submission, gold)


def grader_named(name: str) -> Grader:
    """The grader of that name; RecipeError names the nearest one."""
    if name not in GRADERS:
        near = difflib.get_close_matches(name, GRADERS, 1, 0.3)
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(GRADERS)}"
        raise RecipeError(f"no grader {name[:80]!r}", field="grader", advice=advice)
    return GRADERS[name]


def submitted_value(
    submission: Submission, gold: Gold, convfinqa: bool = False
) -> float | str | None:
    """The submitted value in the scale of ``exe_ans``, not rounded; None where there is none."""
    if submission.program is not None:
        valid, result = executed(submission.program, gold, convfinqa)
        return result if valid and result != "n/a" else None
    answer = submission.answer
    if answer is None:
        return None
    if isinstance(answer.value, str):
        return answer.value
    return answer.value / 100.0 if answer.unit == "percent" else answer.value


def executed(
    program: tuple[str, ...], gold: Gold, convfinqa: bool = False
) -> tuple[bool, float | str]:
    """What the official script makes of official tokens on the page of ``gold``."""
    if len(program) > MAX_PROGRAM_TOKENS:
        return False, "n/a"
    return execute_official(program, gold.page.table if gold.page else NO_TABLE, convfinqa)


def unit_correct(submission: Submission, gold: Gold) -> bool:
    """Whether the submitted unit is the gold unit; always False for a submitted program."""
    return submission.answer is not None and submission.answer.unit == gold.unit


def program_correct(submission: Submission, gold: Gold, convfinqa: bool = False) -> bool:
    """Program accuracy: the program is symbolically that of ``gold`` and executes to its answer.

    A transcript's program is its last expression, unfolded. It can write neither ``const_100`` nor
    a table operation, so it may also equal the gold program with both written as numbers. Where
    that is one number (a looked-up turn, or ``table_max``), the last expression, or without any
    the submitted value, must be that number.
    """
    if submission.program is not None:
        return _same_program(submission.program, gold, convfinqa)
    written_out = _written_out(gold)
    alone = None if written_out is None else number(written_out.program)
    if alone is not None and not submission.expressions:
        return submitted_value(submission, gold) == alone
    if not submission.expressions:
        return False
    if alone is not None:
        return number(submission.expressions[-1]) == alone
    try:
        program = tokenize(unfold(submission.expressions[-1]))
    except ProgramError:
        return False
    if _same_program(program, gold, convfinqa):
        return True
    return written_out is not None and _same_program(program, written_out, convfinqa)


def symbolically_equal(program: tuple[str, ...], gold: Gold, convfinqa: bool = False) -> bool:
    """The official scripts' program comparison, without regard to the result."""
    if len(program) > MAX_PROGRAM_TOKENS:
        return False
    return equal_programs(tokenize(gold.program), program, convfinqa)


def official_script_crashes(program: tuple[str, ...], gold: Gold, convfinqa: bool = False) -> bool:
    """The program equals the gold one but executes to something else: an AssertionError there."""
    valid, result = executed(program, gold, convfinqa)
    if result == gold.answer or (convfinqa and not valid):
        return False
    return symbolically_equal(program, gold, convfinqa)


def _same_program(program: tuple[str, ...], gold: Gold, convfinqa: bool) -> bool:
    valid, result = executed(program, gold, convfinqa)
    if result != gold.answer or (convfinqa and not valid):
        return False
    return symbolically_equal(program, gold, convfinqa)


def _written_out(gold: Gold) -> Gold | None:
    """The gold program with constants and table operations written as numbers."""
    try:
        folded = fold(gold.program, gold.page.table if gold.page else None)
        return replace(gold, program=unfold(folded))
    except ProgramError:
        return None


def _official(submission: Submission, gold: Gold, convfinqa: bool = False) -> bool:
    value = submitted_value(submission, gold, convfinqa)
    if value is None:
        return False
    if isinstance(value, str) or isinstance(gold.answer, str):
        return value == gold.answer
    return math.isfinite(value) and round(value, 5) == gold.answer


def _official_convfinqa(submission: Submission, gold: Gold) -> bool:
    """The same but for programs: here one number alone is a legal one."""
    return _official(submission, gold, convfinqa=True)


def _close(
    submission: Submission,
    gold: Gold,
    tolerance: float,
    scales: tuple[float, ...] = (),
    any_sign: bool = False,
) -> bool:
    """Right officially, or within a relative tolerance, perhaps after scaling or without sign.

    A submitted program of one number counts as that number.
    """
    if _official_convfinqa(submission, gold):
        return True
    value, right = submitted_value(submission, gold, convfinqa=True), gold.answer
    if value is None or isinstance(value, str) or isinstance(right, str):
        return False
    if any_sign:
        value, right = abs(value), abs(right)
    factors = (1.0, *scales, *(1.0 / scale for scale in scales))
    return any(abs(value * factor - right) <= tolerance * abs(right) for factor in factors)


def _relative_1e_3(submission: Submission, gold: Gold) -> bool:
    return _close(submission, gold, 1e-3)


def _relative_1e_2(submission: Submission, gold: Gold) -> bool:
    """Within one percent."""
    return _close(submission, gold, 1e-2)


def _scale_aware(submission: Submission, gold: Gold) -> bool:
    """Within one percent after multiplying or dividing by 100, 1e3, 1e6 or 1e9, if need be."""
    return _close(submission, gold, 1e-2, SCALES)


def _sign_blind(submission: Submission, gold: Gold) -> bool:
    """As ``scale_aware``, and the sign does not count."""
    return _close(submission, gold, 1e-2, SCALES, any_sign=True)


def _exact_string(submission: Submission, gold: Gold) -> bool:
    """The text submitted is the human answer or ``exe_ans`` as written, to the character."""
    if submission.program is not None:
        valid, result = executed(submission.program, gold, convfinqa=True)
        text = str(result) if valid else ""
    else:
        text = submission.answer.text if submission.answer else ""
    return bool(text) and text in (gold.text, str(gold.answer))


GRADERS: dict[str, Grader] = {
    "official": _official,
    "official_convfinqa": _official_convfinqa,
    "relative_1e-3": _relative_1e_3,
    "relative_1e-2": _relative_1e_2,
    "scale_aware": _scale_aware,
    "sign_blind": _sign_blind,
    "exact_string": _exact_string,
}
