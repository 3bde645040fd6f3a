"""Operands: the numbers a gold program takes from its page, and those a submission used.

``subtract(5829, 5735), divide(#0, 5735)`` has the operands 5829, 5735 and 5735; constants
(``const_100``) are none. ``94 / 5735`` after ``5829 - 5735`` used the same three: the result of an
earlier expression, or of a step of the gold program (as when the turn before gave it), stands for
the operands it came from. Programs: FinQA (https://github.com/czyssrs/FinQA).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crossfoot.arithmetic.calculator import calculate, literals
from crossfoot.arithmetic.program import TABLE_OPS, number, reference, row_cells, tokenize
from crossfoot.errors import CalculatorError, ProgramError
from crossfoot.grading.answer import Gold, Submission
from crossfoot.grading.graders import NO_TABLE, executed
from crossfoot.pages.table import Table

# References can double the count at every step, and a transcript can have any number of calls.
MAX_OPERANDS = 300
MAX_STEPS = 100


def gold_operands(gold: Gold) -> list[float]:
    """The operands of the gold program's last step, those of the steps it refers to included."""
    steps = _operands_by_step(tokenize(gold.program), _table(gold))
    return steps[-1] if steps else []


def submitted_operands(submission: Submission, gold: Gold) -> list[float]:
    """Those of the submitted program or last expression; for a looked-up turn, of the answer."""
    if submission.program is not None:
        steps = _operands_by_step(submission.program, _table(gold))
        return steps[-1] if steps else []
    if submission.expressions:
        resolved = _operands_by_expression(submission, gold)
        return resolved[-1]
    answer = submission.answer
    if answer is None or isinstance(answer.value, str) or number(gold.program) is None:
        return []
    return [answer.value]


def operands_named(submission: Submission, gold: Gold) -> bool | None:
    """Were all operands of the gold program named, in any expression or as the answer?

    None where the gold program takes no number from the page. Signs do not count, nor whether a
    percentage was written as a fraction of one.
    """
    needed = gold_operands(gold)
    if not needed:
        return None
    if submission.program is not None:
        named = _flat(_operands_by_step(submission.program, _table(gold)))
    else:
        named = _flat(_operands_by_expression(submission, gold))
    if submission.answer is not None and not isinstance(submission.answer.value, str):
        named.append(submission.answer.value)
    return all(any(same_number(one, other) for other in named) for one in needed)


def same_number(one: float, other: float) -> bool:
    """Equal but for the sign, or for a percentage written as a fraction."""
    one, other = abs(one), abs(other)
    return any(
        abs(left - right) <= 1e-9 * max(left, right)
        for left, right in ((one, other), (one * 100.0, other), (one, other * 100.0))
    )


def _table(gold: Gold) -> Table:
    return gold.page.table if gold.page else NO_TABLE


def _operands_by_step(tokens: Sequence[str], table: Table) -> list[list[float]]:
    """For each step of official tokens its operands; odd parts of a program have none."""
    if len(tokens) <= 2:
        alone = number(tokens[0]) if tokens else None
        return [] if alone is None else [[alone]]
    steps: list[list[float]] = []
    for start in range(0, min(len(tokens) - 3, 4 * MAX_STEPS), 4):
        op, first, second = tokens[start].strip("("), tokens[start + 1], tokens[start + 2]
        if op in TABLE_OPS:
            operands = _row_operands(op, first, table)
        else:
            operands = [*_argument(first, steps), *_argument(second, steps)]
        steps.append(operands[:MAX_OPERANDS])
    return steps


def _row_operands(op: str, header: str, table: Table) -> list[float]:
    try:
        values = [value for _, value in row_cells(table, header)]
    except ProgramError:
        return []
    if op == "table_max":
        return [max(values)]
    return [min(values)] if op == "table_min" else values


def _argument(text: str, steps: list[list[float]]) -> list[float]:
    earlier = reference(text)
    if earlier is not None:
        return steps[earlier] if earlier < len(steps) else []
    value = None if "const" in text else number(text)
    return [] if value is None else [value]


def _operands_by_expression(submission: Submission, gold: Gold) -> list[list[float]]:
    """For each expression its operands, with earlier results replaced by what they came from."""
    needed = gold_operands(gold)
    sources = _gold_results(gold)
    resolved: list[list[float]] = []
    for expression in submission.expressions[-MAX_STEPS:]:
        operands: list[float] = []
        for value in _literal_values(expression):
            if any(same_number(value, one) for one in needed):
                operands.append(value)
            else:
                operands += sources.get(abs(round(value, 5)), [value])
        resolved.append(operands[:MAX_OPERANDS])
        result = _result(expression)
        if result is not None:
            sources.setdefault(abs(result), resolved[-1])
    return resolved


def _gold_results(gold: Gold) -> dict[float, list[float]]:
    """The results of all steps of the gold program but the last, with their operands."""
    tokens = tokenize(gold.program)
    steps = _operands_by_step(tokens, _table(gold))
    results: dict[float, list[float]] = {}
    for index, operands in enumerate(steps[:-1]):
        valid, result = executed((*tokens[: 4 * (index + 1)], "EOF"), gold)
        if valid and not isinstance(result, str):
            results[abs(result)] = operands
    return results


def _literal_values(expression: str) -> list[float]:
    try:
        return [value for text in literals(expression) if (value := number(text)) is not None]
    except CalculatorError:
        return []


def _result(expression: str) -> float | None:
    try:
        return number(calculate(expression))
    except CalculatorError:
        return None


def _flat(lists: Iterable[list[float]]) -> list[float]:
    return [value for values in lists for value in values]
