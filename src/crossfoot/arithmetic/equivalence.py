"""Program accuracy: whether the official rule calls two programs equal.

``add(a, b)`` equals ``add(b, a)``. The rule is ``equal_program`` of FinQA
(https://github.com/czyssrs/FinQA) and ConvFinQA (https://github.com/czyssrs/ConvFinQA): the gold
program's arguments become symbols, the last steps are written out, simplified by sympy and compared
as structures. Here most pairs are decided without sympy: different values at a point mean
different, the same but for the order of sums and products means equal; only the rest is asked.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from crossfoot.arithmetic.official import SYMBOLS, split_step, steps_of, well_formed
from crossfoot.arithmetic.simplification import same_simplified
from crossfoot.arithmetic.terms import Terms, apart, normal_form

# Python's parser, and so sympy's, ends at 200 nested parentheses.
_MAX_DEPTH = 200
_MAX_SYMBOLS = 400
_POINTS = 6


class _Unequal(Exception):
    """A program that the official rule cannot read; it is equal to nothing."""


def equal_programs(gold: Sequence[str], predicted: Sequence[str], convfinqa: bool) -> bool:
    """The official verdict on tokens that end with ``EOF``.

    False where the official script would raise (a gold program it cannot read) or not come to an
    end. ``convfinqa`` adds the rule for programs of one number: exactly the same text.
    """
    if convfinqa and len(gold) == 2:
        return len(predicted) == 2 and gold[0] == predicted[0]
    terms = Terms()
    try:
        gold_steps = steps_of(gold[:-1])
        symbols = _symbols(gold_steps)
        predicted_steps = steps_of(predicted[:-1])
        _check_prediction(predicted[:-1], predicted_steps, symbols)
        gold_root = _Reader(gold_steps, symbols, terms).root()
        predicted_root = _Reader(predicted_steps, symbols, terms).root()
    except (_Unequal, IndexError, ValueError):
        return False
    return _same(terms, gold_root, predicted_root)


def _symbols(steps: list[str]) -> dict[str, int]:
    """A symbol for every number and every table step, in order.

    A table step is known by its text, which begins with ``|`` except in the first place: the
    official rule does not recognize it when it moves there or from there.
    """
    symbols: dict[str, int] = {}
    for step in steps:
        if len(step.split("(")) > 2:
            raise _Unequal
        op, first, second = split_step(step)
        if "table" in op:
            symbols.setdefault(step, len(symbols))
            continue
        for argument in (first, second):
            if "#" not in argument:
                symbols.setdefault(argument, len(symbols))
    return symbols


def _check_prediction(tokens: Sequence[str], steps: list[str], symbols: dict[str, int]) -> None:
    """Refuse what the official rule refuses in any step, used or not."""
    if not well_formed(tokens):
        raise _Unequal
    for index, step in enumerate(steps):
        if len(step.split("(")) > 2:
            raise _Unequal
        op, first, second = split_step(step)
        if "table" in op:
            if step not in symbols:
                raise _Unequal
            continue
        for argument in (first, second):
            if "#" in argument:
                if int(argument.strip("#")) >= index:
                    raise _Unequal
            elif argument not in symbols:
                raise _Unequal


class _Reader:
    """The term of a program's last step."""

    def __init__(self, steps: list[str], symbols: dict[str, int], terms: Terms) -> None:
        self.steps = steps
        self.symbols = symbols
        self.terms = terms
        self.found: dict[int, tuple[int, int]] = {}

    def root(self) -> int:
        if not self.steps:
            raise _Unequal
        return self.step(len(self.steps) - 1, 0)[0]

    def step(self, index: int, outside: int) -> tuple[int, int]:
        """The term of a step and its depth."""
        # A gold program is not checked for references to itself: the depth ends them.
        if not 0 <= index < len(self.steps) or outside > _MAX_DEPTH:
            raise _Unequal
        if index not in self.found:
            step = self.steps[index]
            op, first, second = split_step(step)
            if "table" in op:
                self.found[index] = (self.terms.symbol(self.symbols[step]), 0)
            elif op not in SYMBOLS:
                raise _Unequal
            else:
                left, left_depth = self.argument(first, outside + 1)
                right, right_depth = self.argument(second, outside + 1)
                depth = 1 + max(left_depth, right_depth)
                self.found[index] = (self.terms.binary(op, left, right), depth)
        if outside + self.found[index][1] > _MAX_DEPTH:
            raise _Unequal
        return self.found[index]

    def argument(self, text: str, outside: int) -> tuple[int, int]:
        if "#" in text:
            return self.step(int(text.replace("#", "")), outside)
        return self.terms.symbol(self.symbols[text]), 0


def _same(terms: Terms, first: int, second: int) -> bool:
    """Whether sympy simplifies two terms to the same structure."""
    if _compares_inside(terms, first) or _compares_inside(terms, second):
        return False
    if (terms.terms[first][0] == "greater") != (terms.terms[second][0] == "greater"):
        return False
    verdict = _by_values(terms, first, second)
    if verdict is None:
        return _by_sympy(terms, first, second)
    if not verdict:
        return False
    if first == second:
        return True
    forms: dict[Hashable, int] = {}
    form = normal_form(terms, first, forms)
    if form is not None and form == normal_form(terms, second, forms):
        return True
    return _by_sympy(terms, first, second)


def _compares_inside(terms: Terms, root: int) -> bool:
    """Whether ``greater`` is an operand of another operation, which sympy refuses."""
    op, left, right = terms.terms[root]
    if op == "symbol":
        return False
    return any(terms.ops(operand)["greater"] for operand in (left, right))


def _by_values(terms: Terms, first: int, second: int) -> bool | None:
    """False: certainly different. True: the same wherever looked. None: nothing to look at."""
    sides = _sides(terms, first) + _sides(terms, second)
    if not any(terms.ops(side)["exp"] for side in sides):
        try:
            residues = [terms.residue(side) for side in sides]
        except ValueError:
            return None
        if len(sides) == 2:
            return residues[0] == residues[1]
    found = [_agree_at(terms, sides, point) for point in range(_POINTS)]
    seen = [agree for agree in found if agree is not None]
    return all(seen) if seen else None


def _agree_at(terms: Terms, sides: list[int], point: int) -> bool | None:
    """Whether two values, or the truth of two comparisons, are the same at one point."""
    compares = len(sides) == 4
    try:
        values = [terms.decimal(side, point, signed=compares) for side in sides]
    except ArithmeticError:
        return None
    if not compares:
        return not apart(values[0], values[1])
    left, right, other_left, other_right = values
    if not (apart(left, right) and apart(other_left, other_right)):
        return None
    return (left > right) == (other_left > other_right)


def _sides(terms: Terms, root: int) -> list[int]:
    op, left, right = terms.terms[root]
    return [left, right] if op == "greater" else [root]


def _by_sympy(terms: Terms, first: int, second: int) -> bool:
    if terms.size(first) > _MAX_SYMBOLS or terms.size(second) > _MAX_SYMBOLS:
        return first == second
    return same_simplified(terms.written(first), terms.written(second)) is True
