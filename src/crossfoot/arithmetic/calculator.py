"""The calculator that a model calls: ``calculate("(5829 - 5735) / 5735")`` is ``"0.01639"``.

A comparison gives ``yes`` or ``no``, everything else a number rounded to five decimals, as FinQA
rounds its executed answers (https://github.com/czyssrs/FinQA). Arithmetic is on floats only, and
exponents and magnitudes are bounded, so that no expression takes long.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from crossfoot.arithmetic.syntax import Binary, Comparison, Literal, Negative, Node, leaves, parse
from crossfoot.errors import CalculatorError

MAX_MAGNITUDE = 1e15
MAX_EXPONENT = 1000.0

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def calculate(expression: str) -> str:
    """What the tool returns: ``yes``/``no``, or the value rounded to five decimals."""
    value = evaluate(expression)
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Adding zero turns -0.0 into 0.0.
    rounded = round(value, 5) + 0.0
    text = repr(rounded)
    return f"{rounded:.5f}" if "e" in text else text


def evaluate(expression: str) -> float | bool:
    """The value of an expression, not rounded; True or False for a comparison."""
    tree = parse(expression)
    if isinstance(tree, Comparison):
        return _COMPARE[tree.operator](_value(tree.left), _value(tree.right))
    return _value(tree)


def literals(expression: str) -> tuple[str, ...]:
    """The numbers of an expression as written: ``("5829", "-26", "27%")``.

    A minus sign directly on a number belongs to it, unless a power binds tighter.
    """
    return tuple(leaf.text for leaf in leaves(parse(expression)))


def _value(node: Node) -> float:
    if isinstance(node, Literal):
        return _bounded(node.value())
    if isinstance(node, Negative):
        return -_value(node.operand)
    return _bounded(_binary(node))


def _binary(node: Binary) -> float:
    left, right = _value(node.left), _value(node.right)
    try:
        if node.operator == "**":
            return _power(left, right)
        return _ARITHMETIC[node.operator](left, right)
    except ZeroDivisionError:
        raise CalculatorError("division by zero") from None
    except OverflowError:
        raise CalculatorError("number too large") from None


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > MAX_EXPONENT:
        raise CalculatorError(f"exponent too large: at most {MAX_EXPONENT:.0f}")
    if base < 0 and not exponent.is_integer():
        raise CalculatorError("root of a negative number")
    return float(base**exponent)


def _bounded(value: float) -> float:
    # Written so that nan is refused too.
    if not abs(value) <= MAX_MAGNITUDE:
        raise CalculatorError("number too large")
    return value
