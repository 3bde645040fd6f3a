"""Algebra on shared terms: values at points and a normal form, without sympy.

Two programs become terms of one ``Terms``; equal subterms get the same number, so that
``a0 / a1`` built twice is one term. Everything here costs time linear in the number of terms,
however large the written-out expression would be. Values modulo a prime tell different rational
functions apart for certain (Schwartz 1980, "Fast probabilistic algorithms for verification of
polynomial identities").
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable
from decimal import Context, Decimal, Inexact, Rounded, Subnormal, Underflow, localcontext

from crossfoot.arithmetic.official import SYMBOLS

PRIME = 2**61 - 1

_UNTRAPPED = (Inexact, Rounded, Subnormal, Underflow)
_TOLERANCE = Decimal("1e-30")
_MODULAR: dict[str, Callable[[int, int], int]] = {
    "add": lambda left, right: (left + right) % PRIME,
    "subtract": lambda left, right: (left - right) % PRIME,
    "multiply": lambda left, right: left * right % PRIME,
    "divide": lambda left, right: left * pow(right, -1, PRIME) % PRIME,
}
_DECIMAL: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": lambda left, right: left + right,
    "subtract": lambda left, right: left - right,
    "multiply": lambda left, right: left * right,
    "divide": lambda left, right: left / right,
    "exp": lambda left, right: left**right,
}


class Terms:
    """Symbols ``a0, a1, ...`` and operations on earlier terms; a term is its number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, int, int], int] = {}
        self.terms: list[tuple[str, int, int]] = []

    def symbol(self, index: int) -> int:
        """The term ``a<index>``."""
        return self._term(("symbol", index, 0))

    def binary(self, op: str, left: int, right: int) -> int:
        """The term ``left op right``; op is one of the FinQA operations."""
        return self._term((op, left, right))

    def _term(self, term: tuple[str, int, int]) -> int:
        if term not in self._numbers:
            self._numbers[term] = len(self.terms)
            self.terms.append(term)
        return self._numbers[term]

    def below(self, root: int) -> list[int]:
        """The root and all that it is made of, operands first."""
        found = {root}
        waiting = [root]
        while waiting:
            op, left, right = self.terms[waiting.pop()]
            new = set() if op == "symbol" else {left, right} - found
            found |= new
            waiting += new
        return sorted(found)

    def ops(self, root: int) -> Counter[str]:
        """How often each operation occurs among the terms below a root."""
        return Counter(self.terms[term][0] for term in self.below(root))

    def size(self, root: int) -> int:
        """The number of symbols in the written-out expression."""
        sizes: dict[int, int] = {}
        for term in self.below(root):
            op, left, right = self.terms[term]
            sizes[term] = 1 if op == "symbol" else sizes[left] + sizes[right]
        return sizes[root]

    def written(self, root: int) -> str:
        """The expression with all its parentheses; check ``size`` first."""
        texts: dict[int, str] = {}
        for term in self.below(root):
            op, left, right = self.terms[term]
            texts[term] = (
                f"a{left}" if op == "symbol" else f"( {texts[left]} {SYMBOLS[op]} {texts[right]} )"
            )
        return texts[root]

    def residue(self, root: int) -> int:
        """The value modulo the prime at one fixed point; ValueError for a division by zero."""
        values: dict[int, int] = {}
        for term in self.below(root):
            op, left, right = self.terms[term]
            if op == "symbol":
                values[term] = random.Random(left).randrange(1, PRIME)
            else:
                values[term] = _MODULAR[op](values[left], values[right])
        return values[root]

    def decimal(self, root: int, point: int, signed: bool) -> Decimal:
        """The value at one of many points; ArithmeticError where there is none."""
        values: dict[int, Decimal] = {}
        with localcontext(Context(prec=60)) as context:
            for signal in context.traps:
                context.traps[signal] = signal not in _UNTRAPPED
            for term in self.below(root):
                op, left, right = self.terms[term]
                if op == "symbol":
                    draw = random.Random(1000 * point + left)
                    sign = draw.choice((-1, 1)) if signed else 1
                    values[term] = sign * Decimal(draw.randrange(10**5, 10**6)) / 10**5
                else:
                    values[term] = _DECIMAL[op](values[left], values[right])
        return values[root]


def apart(left: Decimal, right: Decimal) -> bool:
    """Whether two values differ by more than rounding can explain."""
    return abs(left - right) > _TOLERANCE * (abs(left) + abs(right) + 1)


def normal_form(terms: Terms, root: int, forms: dict[Hashable, int]) -> int | None:
    """A number that two terms share only if sums and products of them differ in order alone.

    ``forms`` is one dictionary for all terms to be compared. None where the form cannot vouch for
    sympy's: powers, and sums in which a summand occurs twice or cancels (sympy then makes numbers,
    which it multiplies out).
    """
    numbers: dict[int, int] = {}
    sums: dict[int, Counter[int]] = {}
    products: dict[int, Counter[int]] = {}

    def atom(key: Hashable) -> int:
        return forms.setdefault(key, len(forms))

    for term in terms.below(root):
        op, left, right = terms.terms[term]
        if op == "symbol":
            numbers[term] = atom(("symbol", left))
        elif op in ("add", "subtract"):
            parts = Counter(sums.get(left, {numbers[left]: 1}))
            sign = 1 if op == "add" else -1
            for part, count in sums.get(right, {numbers[right]: 1}).items():
                if part in parts:
                    return None
                parts[part] = sign * count
            sums[term] = parts
            numbers[term] = atom(("sum", frozenset(parts.items())))
        elif op in ("multiply", "divide"):
            factors = Counter(products.get(left, {numbers[left]: 1}))
            sign = 1 if op == "multiply" else -1
            for factor, count in products.get(right, {numbers[right]: 1}).items():
                factors[factor] += sign * count
            factors = Counter({factor: count for factor, count in factors.items() if count})
            products[term] = factors
            single = len(factors) == 1 and next(iter(factors.items()))
            if single and single[1] == 1:
                # One factor is left, possibly a sum: its own form, not that of a product.
                return None
            numbers[term] = atom(("product", frozenset(factors.items())))
        elif op == "greater":
            numbers[term] = atom((op, numbers[left], numbers[right]))
        else:
            return None
    return numbers[root]
