"""The official scripts' execution of a program, to the last quirk.

``("divide(", "1", "const_100", ")", "EOF")`` gives ``(True, 0.01)``. It agrees with
``eval_program`` of FinQA (https://github.com/czyssrs/FinQA, code/evaluate/evaluate.py) and of
ConvFinQA (https://github.com/czyssrs/ConvFinQA, code/utils/general_utils.py), both MIT: the last
token is dropped whatever it is, an empty program is valid, a failure leaves the result of the step
before. Written anew; the order of the checks is theirs because the result depends on it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from crossfoot.pages.table import Table

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "exp": operator.pow,
    "greater": lambda first, second: "yes" if first > second else "no",
}
TABLE_FUNCTIONS: dict[str, Callable[[list[float]], float]] = {
    "table_max": max,
    "table_min": min,
    "table_sum": sum,
    "table_average": lambda row: sum(row) / len(row),
}
OPERATIONS = frozenset(_ARITHMETIC) | frozenset(TABLE_FUNCTIONS)
SYMBOLS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "exp": "**",
    "greater": ">",
}
NOT_A_NUMBER = "n/a"

# "yes" + "yes" is text in Python; doubled at every step it would fill the memory, where the
# official script fails too.
_MAX_TEXT = 100_000
_PIECES = re.compile(r"[^()]*\(|[^()]*\)|[^()]+")


class _Stop(Exception):
    """The program is invalid, but its last result is still rounded."""


def tokenize(text: str) -> tuple[str, ...]:
    """Official tokens: ``add(1, 2)`` is ``("add(", "1", "2", ")", "EOF")``."""
    tokens: list[str] = []
    for part in text.split(", "):
        for piece in _PIECES.findall(part):
            if piece.endswith(")") and len(piece) > 1:
                tokens += [piece[:-1], ")"]
            else:
                tokens.append(piece)
    return (*tokens, "EOF")


def number(text: str) -> float | None:
    """A number as the official scripts read it: ``1,000``, ``27%``, ``const_m1``; else None."""
    try:
        return _number(text, "const_")
    except ValueError:
        return None


def execute_official(
    tokens: Sequence[str], table: Table, convfinqa: bool
) -> tuple[bool, float | str]:
    """Whether the official script calls the program valid, and the result that it returns.

    ``convfinqa`` chooses the script: there a program of one number is legal.
    """
    constant = "const_" if convfinqa else "const"
    program = tokens[:-1]
    if convfinqa and len(program) == 1:
        value = number(program[0])
        return (False, NOT_A_NUMBER) if value is None else (True, round(value, 5))
    if not well_formed(program):
        return False, NOT_A_NUMBER
    execution = _Execution(table, constant)
    valid = True
    try:
        for index, step in enumerate(steps_of(program)):
            execution.run(index, step)
    except _Stop:
        valid = False
    except Exception:
        return False, execution.result
    try:
        if execution.result not in ("yes", "no", NOT_A_NUMBER):
            execution.result = round(execution.result, 5)
    except Exception:
        valid = False
    return valid, execution.result


def well_formed(program: Sequence[str]) -> bool:
    """The official structure check: operations and closing parentheses at every fourth token."""
    return all(
        (place % 4 != 0 or token.strip("(") in OPERATIONS) and (place % 4 != 3 or token == ")")
        for place, token in enumerate(program)
    )


def steps_of(program: Sequence[str]) -> list[str]:
    """The steps as the official scripts cut them; all but the first begin with ``|``."""
    return [step.strip() for step in "|".join(program).split(")")[:-1]]


def split_step(step: str) -> tuple[str, str, str]:
    """Operation and two arguments; IndexError where the step has no such parts."""
    parts = step.split("(")
    arguments = parts[1].strip("|").strip().split("|")
    return parts[0].strip("|").strip(), arguments[0].strip(), arguments[1].strip()


class _Execution:
    """The state that the official loop carries from step to step."""

    def __init__(self, table: Table, constant: str) -> None:
        self.table = table
        self.constant = constant
        self.result: Any = NOT_A_NUMBER
        self.results: dict[int, Any] = {}
        self.row: list[float] | None = None

    def run(self, index: int, step: str) -> None:
        if len(step.split("(")) > 2:
            raise _Stop
        op, first, second = split_step(step)
        if op in _ARITHMETIC:
            left, right = self.argument(first), self.argument(second)
            self.result = _ARITHMETIC[op](left, right)
            if isinstance(self.result, str) and len(self.result) > _MAX_TEXT:
                raise MemoryError
        elif op in TABLE_FUNCTIONS:
            if "#" in first:
                # The value is looked up and then not used: the row of the step before counts.
                self.results[int(first.replace("#", ""))]
            else:
                self.row = self.read_row(first)
            if self.row is None:
                raise UnboundLocalError
            self.result = TABLE_FUNCTIONS[op](self.row)
        else:
            return
        self.results[index] = self.result

    def argument(self, text: str) -> Any:
        if "#" in text:
            return self.results[int(text.replace("#", ""))]
        value = _number(text, self.constant)
        if value is None:
            raise _Stop
        return value

    def read_row(self, header: str) -> list[float]:
        rows = {row[0]: row[1:] for row in self.table.rows}
        if header not in rows:
            raise _Stop
        values = []
        for cell in rows[header]:
            value = _number(cell.replace("$", "").strip().split("(")[0].strip(), self.constant)
            if value is None:
                raise _Stop
            values.append(value)
        return values


def _number(text: str, constant: str) -> float | None:
    """ValueError where a text that looks like a constant is none."""
    text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        if "%" in text:
            try:
                return float(text.replace("%", "")) / 100.0
            except ValueError:
                return None
        if constant not in text:
            return None
        text = text.replace("const_", "")
        return float("-1" if text == "m1" else text)
