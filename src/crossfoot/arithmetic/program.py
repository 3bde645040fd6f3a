"""FinQA programs: reading them and executing them cleanly.

``subtract(5829, 5735), divide(#0, 5735)`` executes to 0.01639. Ten operations; ``#k`` is the
result of step k; a table operation takes a row header and ``none``; ConvFinQA also has programs of
one number. Sources: FinQA (Chen et al. 2021, https://github.com/czyssrs/FinQA) and ConvFinQA
(Chen et al. 2022, https://github.com/czyssrs/ConvFinQA). What the official scripts do with odd
programs is in ``official.py``.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from crossfoot.arithmetic.official import (
    SYMBOLS,
    TABLE_FUNCTIONS,
    execute_official,
    number,
    tokenize,
)
from crossfoot.errors import ProgramError
from crossfoot.pages.table import Table

__all__ = [
    "ARITHMETIC_OPS",
    "TABLE_OPS",
    "Program",
    "Step",
    "exact_value",
    "execute",
    "execute_official",
    "number",
    "parse",
    "reference",
    "row_cells",
    "tokenize",
]

MAX_LENGTH = 10_000
MAX_STEPS = 100
ARITHMETIC_OPS = tuple(SYMBOLS)
TABLE_OPS = tuple(TABLE_FUNCTIONS)

_REFERENCE = re.compile(r"#([0-9]{1,3})")
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "exp": operator.pow,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation and its two arguments as written."""

    op: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.op}({self.first}, {self.second})"


@dataclass(frozen=True, slots=True)
class Program:
    """Steps in order, or, with no step, one number."""

    steps: tuple[Step, ...]
    number: str | None = None

    def __str__(self) -> str:
        return self.number if self.number is not None else ", ".join(map(str, self.steps))


def reference(argument: str) -> int | None:
    """The k of ``#k``, or None where the argument is no reference."""
    match = _REFERENCE.fullmatch(argument)
    return int(match.group(1)) if match else None


def parse(text: str) -> Program:
    """Read a program; everything that cannot be executed on any page is refused here."""
    if len(text) > MAX_LENGTH:
        raise ProgramError(f"program longer than {MAX_LENGTH} characters")
    tokens = tokenize(text.strip())[:-1]
    if len(tokens) == 1:
        if number(tokens[0]) is None:
            raise ProgramError(f"{tokens[0][:80]!a} is neither a number nor a step")
        return Program((), tokens[0])
    if not tokens or len(tokens) % 4:
        raise ProgramError(f"not a program: {text[:80]!a}", advice="write op(a, b), op(#0, c)")
    if len(tokens) > 4 * MAX_STEPS:
        raise ProgramError(f"program of more than {MAX_STEPS} steps")
    steps = [_step(tokens[start : start + 4], start // 4) for start in range(0, len(tokens), 4)]
    return Program(tuple(steps))


def _step(tokens: tuple[str, ...], index: int) -> Step:
    op, first, second, close = tokens
    if not op.endswith("(") or close != ")":
        raise ProgramError(f"step {index}: expected op(a, b), found {' '.join(tokens)[:80]!a}")
    step = Step(op[:-1], first.strip(), second.strip())
    if step.op in TABLE_OPS:
        if "#" in step.first:
            raise ProgramError(f"step {index}: {step.op} takes a row header, not {step.first!a}")
        return step
    if step.op not in ARITHMETIC_OPS:
        known = ", ".join(ARITHMETIC_OPS + TABLE_OPS)
        raise ProgramError(f"step {index}: unknown operation {step.op[:40]!a}", advice=known)
    for argument in (step.first, step.second):
        earlier = reference(argument)
        if earlier is None and number(argument) is None:
            raise ProgramError(f"step {index}: {argument[:40]!a} is not a number")
        if earlier is not None and earlier >= index:
            raise ProgramError(f"step {index}: {argument} is not an earlier step")
    return step


def execute(program: str | Program, table: Table) -> float | str:
    """The result as FinQA writes its ``exe_ans``: rounded to five decimals, or yes/no."""
    value = exact_value(program, table)
    return value if isinstance(value, str) else round(value, 5)


def exact_value(program: str | Program, table: Table) -> float | str:
    """The result, not rounded."""
    if isinstance(program, str):
        program = parse(program)
    if program.number is not None:
        return _finite(number(program.number), "the program")
    results: list[float | str] = []
    for index, step in enumerate(program.steps):
        if step.op in TABLE_OPS:
            results.append(_table_value(step, table))
        else:
            results.append(_arithmetic_value(step, index, results))
    return results[-1]


def row_cells(table: Table, header: str) -> tuple[tuple[str, float], ...]:
    """Text and number of the cells of a row, read as the official scripts read them.

    Of rows with the same header the last counts, and the header row is a row too.
    """
    rows = [row for row in table.rows if row and row[0] == header]
    if not rows:
        raise ProgramError(f"the table has no row {header[:80]!a}")
    cells = []
    for cell in rows[-1][1:]:
        text = cell.replace("$", "").strip().split("(")[0].strip()
        cells.append((text, _finite(number(text), f"cell {cell[:40]!a} of row {header[:80]!a}")))
    if not cells:
        raise ProgramError(f"row {header[:80]!a} has no cells")
    return tuple(cells)


def _table_value(step: Step, table: Table) -> float:
    values = [value for _, value in row_cells(table, step.first)]
    return _finite(float(TABLE_FUNCTIONS[step.op](values)), step.op)


def _arithmetic_value(step: Step, index: int, results: list[float | str]) -> float | str:
    operands = []
    for argument in (step.first, step.second):
        earlier = reference(argument)
        value = number(argument) if earlier is None else results[earlier]
        if isinstance(value, str):
            raise ProgramError(f"step {index}: {step.op} of {value}")
        operands.append(_finite(value, f"step {index}"))
    first, second = operands
    if step.op == "greater":
        return "yes" if first > second else "no"
    try:
        value = _ARITHMETIC[step.op](first, second)
    except ZeroDivisionError:
        raise ProgramError(f"step {index}: division by zero") from None
    except OverflowError:
        value = math.inf
    return _finite(value, f"step {index}")


def _finite(value: float | complex | None, what: str) -> float:
    if value is None:
        raise ProgramError(f"{what} is not a number")
    if isinstance(value, complex) or not math.isfinite(value):
        raise ProgramError(f"{what} has no finite real value")
    return value
