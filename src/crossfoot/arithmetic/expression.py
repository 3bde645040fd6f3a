"""A program as one expression, and back.

``subtract(5829, 5735), divide(#0, 5735)`` folds to ``(5829 - 5735) / 5735``, which unfolds to the
program again. Numbers stay as written, thousands commas aside; ``const_100`` becomes ``100`` (so
the official program accuracy, for which constants are opaque, tells the two apart) and a table
operation becomes arithmetic on the cells of its row. Programs: FinQA (Chen et al. 2021,
https://github.com/czyssrs/FinQA).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crossfoot.arithmetic import syntax
from crossfoot.arithmetic.official import SYMBOLS
from crossfoot.arithmetic.program import TABLE_OPS, Step, parse, reference, row_cells
from crossfoot.errors import CalculatorError, ProgramError
from crossfoot.pages.table import Table

_OPS = {symbol: op for op, symbol in SYMBOLS.items()}
_BINDING = {">": 0, "+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
_NEGATIVE_LITERAL = 3
_LITERAL = 5
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?%?")


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of an expression and how tightly its outermost operator binds."""

    text: str
    binding: int


def fold(program: str, table: Table | None = None) -> str:
    """One expression of the same value; ``table`` is needed for table operations only."""
    parsed = parse(program)
    if parsed.number is not None:
        return _literal(parsed.number).text
    parts: list[_Part | ProgramError] = []
    for step in parsed.steps:
        try:
            parts.append(_fold_step(step, parts, table))
        except ProgramError as error:
            # Only a step that the last one uses must fold.
            parts.append(error)
    last = parts[-1]
    if isinstance(last, ProgramError):
        raise last
    return last.text


def unfold(expression: str) -> str:
    """The program of an expression; equal subexpressions become one step."""
    try:
        tree = syntax.parse(expression)
    except CalculatorError as error:
        raise ProgramError(error.message) from None
    steps: dict[str, int] = {}
    root = _unfold(tree, steps)
    return ", ".join(steps) if steps else root


def _fold_step(step: Step, parts: list[_Part | ProgramError], table: Table | None) -> _Part:
    if step.op in TABLE_OPS:
        if table is None:
            raise ProgramError(f"{step} needs the table of its page")
        return _fold_row(step, table)
    operands = []
    for argument in (step.first, step.second):
        earlier = reference(argument)
        part = _literal(argument) if earlier is None else parts[earlier]
        if isinstance(part, ProgramError):
            raise part
        operands.append(part)
    return _binary(SYMBOLS[step.op], *operands)


def _binary(symbol: str, left: _Part, right: _Part) -> _Part:
    binding = _BINDING[symbol]
    if _BINDING[">"] in (left.binding, right.binding):
        raise ProgramError("the result of greater is no number and cannot be used in a later step")
    # Powers group to the right, everything else to the left.
    if symbol == "**":
        open_left = left.binding > binding
        open_right = right.binding >= _NEGATIVE_LITERAL
    else:
        open_left = left.binding >= binding
        open_right = right.binding > binding
    text = f"{_wrapped(left, open_left)} {symbol} {_wrapped(right, open_right)}"
    return _checked(_Part(text, binding))


def _wrapped(part: _Part, open_: bool) -> str:
    return part.text if open_ else f"({part.text})"


def _checked(part: _Part) -> _Part:
    # References can double the text at every step.
    if len(part.text) > syntax.MAX_LENGTH:
        raise ProgramError(f"its expression is longer than {syntax.MAX_LENGTH} characters")
    return part


def _fold_row(step: Step, table: Table) -> _Part:
    cells = row_cells(table, step.first)
    if step.op in ("table_max", "table_min"):
        choose = max if step.op == "table_max" else min
        return _literal(choose(cells, key=lambda cell: cell[1])[0])
    total = _literal(cells[0][0])
    for text, _ in cells[1:]:
        total = _binary("+", total, _literal(text))
    if step.op == "table_sum":
        return total
    return _binary("/", total, _Part(str(len(cells)), _LITERAL))


def _literal(text: str) -> _Part:
    """A number of a program or cell as an expression writes it."""
    text = text.replace(",", "").replace("const_", "").strip()
    if text == "m1":
        text = "-1"
    if not _NUMBER.fullmatch(text):
        raise ProgramError(f"{text[:40]!a} cannot be written in an expression")
    return _Part(text, _NEGATIVE_LITERAL if text.startswith("-") else _LITERAL)


def _unfold(node: syntax.Node | syntax.Comparison, steps: dict[str, int]) -> str:
    """The argument that stands for a node, its steps added."""
    if isinstance(node, syntax.Literal):
        return node.text
    if isinstance(node, syntax.Negative):
        return _add_step("multiply", _unfold(node.operand, steps), "const_m1", steps)
    op = node.operator
    if op == "<":
        right, left = _unfold(node.right, steps), _unfold(node.left, steps)
        return _add_step("greater", right, left, steps)
    if op not in _OPS:
        raise ProgramError(f"no program has {op}", advice="compare with > or <")
    left, right = _unfold(node.left, steps), _unfold(node.right, steps)
    return _add_step(_OPS[op], left, right, steps)


def _add_step(op: str, first: str, second: str, steps: dict[str, int]) -> str:
    step = f"{op}({first}, {second})"
    return f"#{steps.setdefault(step, len(steps))}"
