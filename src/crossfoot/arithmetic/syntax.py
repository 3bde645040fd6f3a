"""Reading one arithmetic expression into a small tree, safely.

``(5829 - -26) / 27%`` becomes ``Binary("/", Binary("-", ...), Literal("27%"))``. What can be
checked on the text (length, characters, nesting, count of operators) is checked before ``ast``
sees it, and ``ast`` sees only indices of literals, operators and parentheses. The operations are
those of the FinQA programs (Chen et al. 2021, https://github.com/czyssrs/FinQA).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfoot.errors import CalculatorError

MAX_LENGTH = 1000
MAX_DEPTH = 40
MAX_OPERATORS = 150

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/()<>%])"
    r"|(?P<space>[ \t\r\n]+)"
)
_COMPARISONS = {">", "<", ">=", "<=", "==", "!="}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


@dataclass(frozen=True, slots=True)
class Literal:
    """A number as written, a sign directly on it included: ``-26``, ``27%``."""

    text: str

    def value(self) -> float:
        """``27%`` is 0.27."""
        if self.text.endswith("%"):
            return float(self.text[:-1]) / 100.0
        return float(self.text)

    def negated(self) -> Literal:
        """The literal with the other sign."""
        return Literal(self.text[1:] if self.text.startswith("-") else "-" + self.text)


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus sign before something that is not a literal."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``; the operator is one of ``+ - * / **``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``, only ever the whole expression."""

    operator: str
    left: Node
    right: Node


Node = Literal | Negative | Binary


def parse(expression: str) -> Node | Comparison:
    """The tree of an expression, or CalculatorError with a message for a model."""
    tokens = _tokens(expression)
    literals = [token for token in tokens if _is_number(token)]
    indices = iter(range(len(literals)))
    source = " ".join(str(next(indices)) if _is_number(token) else token for token in tokens)
    try:
        body = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CalculatorError("not a valid expression") from None
    if isinstance(body, ast.Compare):
        if len(body.ops) > 1:
            raise CalculatorError("only one comparison is allowed")
        left, right = _node(body.left, literals), _node(body.comparators[0], literals)
        return Comparison(_COMPARE[type(body.ops[0])], left, right)
    return _node(body, literals)


def leaves(node: Node | Comparison) -> Iterator[Literal]:
    """The literals of a tree from left to right."""
    if isinstance(node, Literal):
        yield node
    elif isinstance(node, Negative):
        yield from leaves(node.operand)
    else:
        yield from leaves(node.left)
        yield from leaves(node.right)


def _node(node: ast.expr, literals: list[str]) -> Node:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return Literal(literals[node.value])
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        operator = _BINARY[type(node.op)]
        return Binary(operator, _node(node.left, literals), _node(node.right, literals))
    if isinstance(node, ast.UnaryOp):
        operand = _node(node.operand, literals)
        if isinstance(node.op, ast.UAdd):
            return operand
        return operand.negated() if isinstance(operand, Literal) else Negative(operand)
    if isinstance(node, ast.Compare):
        raise CalculatorError("a comparison must be the whole expression")
    if isinstance(node, ast.Call):
        raise CalculatorError("write * between a number and a parenthesis")
    raise CalculatorError("not a valid expression")


def _tokens(expression: str) -> list[str]:
    """Operators, parentheses and numbers; a percent sign is joined to its number."""
    if len(expression) > MAX_LENGTH:
        raise CalculatorError(f"expression too long: at most {MAX_LENGTH} characters")
    tokens: list[str] = []
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise CalculatorError(_refusal(expression[position]))
        position = match.end()
        if match.lastgroup == "space":
            continue
        token = match.group()
        if tokens and tokens[-1].endswith("%") and (_is_number(token) or token == "("):
            raise CalculatorError("modulo is not allowed; % only after a number, as in 27%")
        if token == "%":
            if not tokens or not _is_number(tokens[-1]) or tokens[-1].endswith("%"):
                raise CalculatorError("% is allowed only after a number, as in 27%")
            tokens[-1] += "%"
        else:
            tokens.append(token)
    _check_size(tokens)
    return tokens


def _check_size(tokens: list[str]) -> None:
    if not tokens:
        raise CalculatorError("empty expression")
    if "//" in tokens:
        raise CalculatorError("// is not allowed; use /")
    depth = deepest = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        deepest = max(deepest, depth)
        if depth < 0:
            break
    if depth != 0:
        raise CalculatorError("parentheses do not match")
    if deepest > MAX_DEPTH:
        raise CalculatorError(f"too many nested parentheses: at most {MAX_DEPTH}")
    operators = [token for token in tokens if not _is_number(token) and token not in "()"]
    if len(operators) > MAX_OPERATORS:
        raise CalculatorError(f"too many operators: at most {MAX_OPERATORS}")
    if sum(token in _COMPARISONS for token in operators) > 1:
        raise CalculatorError("only one comparison is allowed")


def _is_number(token: str) -> bool:
    return token[0].isdigit() or token[0] == "."


def _refusal(character: str) -> str:
    if character == ",":
        return "commas are not allowed: write 1000, not 1,000"
    if character in "$€£¥":
        return f"{character} is not allowed: write the number alone"
    if character == "^":
        return "^ is not allowed: write ** for a power"
    if character == "=":
        return "= is not allowed: give one expression (== compares)"
    if character == "_" or character.isalpha():
        return "only numbers and + - * / ** ( ) are allowed, no names or words"
    return f"character {character!a} is not allowed: use numbers and + - * / ** ( )"
