"""Why a wrong answer is wrong: one error class and one line for people.

On a table with "long-term debt" of 3949.1 (2015) and 4918.1 (2016), the answer 4918.1 to "what was
it in 2015?" is ``wrong_cell``: "used 4918.1 (long-term debt, 2016) where 3949.1 (2015) was needed".
The classes are our own; the first that fits, in the order of ``ERROR_CLASSES``, is given.
"""

from __future__ import annotations

import math

from crossfoot.arithmetic.program import reference, tokenize
from crossfoot.grading.answer import Gold, Submission
from crossfoot.grading.graders import executed, submitted_value
from crossfoot.grading.operands import gold_operands, same_number, submitted_operands
from crossfoot.pages.table import Cell

ERROR_CLASSES: tuple[str, ...] = (
    "no_answer",
    "malformed_call",
    "yes_no",
    "wrong_sign",
    "wrong_scale",
    "inverted_division",
    "wrong_cell",
    "wrong_operation",
    "other",
)

# Wide enough for a rounded answer, narrow enough that no neighbouring year passes for a scale.
_TOLERANCE = 5e-3
_MAX_POWER = 12
_MAX_DIVISIONS = 20
# What FinQA's programs take from no page.
_CONSTANTS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e9)


def error_of(submission: Submission, gold: Gold, convfinqa: bool) -> tuple[str, str]:
    """The error class of a wrong submission, and why."""
    value = submitted_value(submission, gold, convfinqa)
    if value is None:
        return _unusable(submission)
    right = gold.answer
    if isinstance(value, str) or isinstance(right, str):
        return "yes_no", f"answered {_shown(value)} where {_shown(right)} was needed"
    return (
        _sign_or_scale(value, right, submission)
        or _inverted_division(value, gold)
        or _wrong_operands(submission, gold)
        or _near_miss(value, right)
        or _wrong_operation(submission, gold)
        or ("other", f"answered {_shown(value)} where {_shown(right)} was needed")
    )


def _unusable(submission: Submission) -> tuple[str, str]:
    if submission.program is not None:
        program = " ".join(submission.program)
        if not program.strip() or program.strip() == "EOF":
            return "no_answer", "the submitted program is empty"
        return "malformed_call", f"the program cannot be executed: {_short(program)}"
    if submission.malformed:
        return "malformed_call", "a tool call could not be read"
    if submission.expressions:
        return "no_answer", f"calculated {_short(submission.expressions[-1])} and submitted nothing"
    return "no_answer", "nothing was submitted"


def _sign_or_scale(value: float, right: float, submission: Submission) -> tuple[str, str] | None:
    if value == 0 or right == 0 or not math.isfinite(value):
        return None
    ratio = value / right
    if ratio == 0 or not math.isfinite(ratio):
        return None
    power = round(math.log10(abs(ratio)))
    if abs(power) > _MAX_POWER or not _near(abs(ratio), 10.0**power):
        return None
    submitted = _as_submitted(submission, value)
    if power == 0:
        if ratio > 0:
            return None
        return "wrong_sign", f"submitted {submitted} where {_shown(right)} was needed"
    factor = f"{10 ** abs(power):,} times too {'large' if power > 0 else 'small'}"
    also = ", and its sign is wrong" if ratio < 0 else ""
    reason = f"submitted {submitted}, {factor}: {_shown(right)} was needed{also}"
    return "wrong_scale", reason


def _inverted_division(value: float, gold: Gold) -> tuple[str, str] | None:
    """Does the gold program give the submitted value when one division is turned round?"""
    tokens = tokenize(gold.program)
    divisions = [place for place, token in enumerate(tokens) if token == "divide("]
    for place in divisions[:_MAX_DIVISIONS]:
        if place + 2 >= len(tokens):
            break
        first, second = tokens[place + 1 : place + 3]
        turned = (*tokens[: place + 1], second, first, *tokens[place + 3 :])
        valid, result = executed(turned, gold)
        if valid and not isinstance(result, str) and result != 0 and _near(value, result):
            first, second = _argument_shown(first, tokens), _argument_shown(second, tokens)
            return "inverted_division", f"divided {second} by {first}, not {first} by {second}"
    return None


def _argument_shown(argument: str, tokens: tuple[str, ...]) -> str:
    """``#0`` as the step it refers to."""
    step = reference(argument)
    if step is None or 4 * step + 4 > len(tokens):
        return argument
    op, first, second = tokens[4 * step : 4 * step + 3]
    return f"{op}{first}, {second})"


def _wrong_operands(submission: Submission, gold: Gold) -> tuple[str, str] | None:
    """Is a number used that stands beside, above or below the one that was needed?"""
    if gold.page is None:
        return None
    cells = [cell for cell in gold.page.table.cells() if cell.number is not None]
    extra, missing = _differences(submission, gold)
    extra = [one for one in extra if one not in _CONSTANTS or _cells_with(one, cells)]
    for needed in missing:
        for used in extra:
            for needed_cell in _cells_with(needed, cells):
                for used_cell in _cells_with(used, cells):
                    if (needed_cell.row == used_cell.row) != (
                        needed_cell.column == used_cell.column
                    ):
                        return "wrong_cell", _cells_reason(used, used_cell, needed, needed_cell)
    return None


def _near_miss(value: float, right: float) -> tuple[str, str] | None:
    if right != 0 and abs(value - right) <= 1e-2 * abs(right):
        reason = f"answered {_shown(value)}, within 1% of the {_shown(right)} needed"
        return "other", reason
    return None


def _wrong_operation(submission: Submission, gold: Gold) -> tuple[str, str] | None:
    """All numbers needed were used, but the value is another one."""
    if not submission.expressions and submission.program is None:
        return None
    used, needed = submitted_operands(submission, gold), gold_operands(gold)
    if not needed or not all(any(same_number(one, two) for two in used) for one in needed):
        return None
    if submission.program is not None:
        done = " ".join(submission.program)
    else:
        done = submission.expressions[-1]
    return "wrong_operation", f"used {_short(done)} where {_short(gold.program)} was needed"


def _differences(submission: Submission, gold: Gold) -> tuple[list[float], list[float]]:
    """The operands used and not needed, and those needed and not used, each as often as that."""
    missing: list[float] = []
    extra = submitted_operands(submission, gold)
    for needed in gold_operands(gold):
        place = next((at for at, one in enumerate(extra) if same_number(one, needed)), None)
        if place is None:
            missing.append(needed)
        else:
            extra = extra[:place] + extra[place + 1 :]
    return list(dict.fromkeys(extra)), list(dict.fromkeys(missing))


def _cells_with(value: float, cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.number and same_number(cell.number.value, value)]


def _cells_reason(used: float, used_cell: Cell, needed: float, needed_cell: Cell) -> str:
    same_row = used_cell.row == needed_cell.row
    differs = needed_cell.column_header if same_row else needed_cell.row_header
    where = ", ".join(
        _short(part) for part in (used_cell.row_header, used_cell.column_header) if part
    )
    return (
        f"used {_shown(used)}{f' ({where})' if where else ''} where "
        f"{_shown(needed)}{f' ({_short(differs)})' if differs else ''} was needed"
    )


def _as_submitted(submission: Submission, value: float) -> str:
    answer = submission.answer
    return _shown(value) if answer is None else f"{_shown(answer.value)} ({answer.unit})"


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _TOLERANCE * abs(other)


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.5f}".rstrip("0") if 1e-5 <= abs(value) < 1e15 else repr(value)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."
