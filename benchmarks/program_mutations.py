"""Seeded mutations of gold programs: the predictions that ``grading.py`` compares.

``swapped_operands`` of ``subtract(5829, 5735)`` is ``subtract(5735, 5829)``. Each takes official
tokens (https://github.com/czyssrs/FinQA), the gold answer with its page, and a random generator;
where it cannot be applied it gives the gold program back.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from crossfoot.arithmetic.program import tokenize
from crossfoot.grading.answer import Gold
from crossfoot.pages.table import Table

Tokens = tuple[str, ...]
Mutation = Callable[[Tokens, Gold, random.Random], Tokens]

OPERATIONS = ("add(", "subtract(", "multiply(", "divide(", "exp(", "greater(")
ODD_TOKENS = (
    *("foo(", "banana", "#9", "#0", "nan", "inf", "1e3", "1_000", "$5", "(", ")", "-5"),
    *("const_x", "const_m1", "27%", "none", "EOF"),
)
# a and b are the arguments of the step that is replaced, s and t the first two steps put there.
REWRITES = {
    "add(": ("add({b}, {a})", "subtract({a}, {b}), subtract({a}, {s}), add({a}, {t})"),
    "subtract(": (
        "multiply({b}, const_m1), add({a}, {s})",
        "add({a}, {b}), subtract({s}, {b}), subtract({t}, {b})",
    ),
    "multiply(": (
        "multiply({b}, {a})",
        "divide({a}, {b}), divide({a}, {s}), multiply({a}, {t})",
    ),
    "divide(": (
        "divide({b}, {a}), divide({a}, {a}), divide({t}, {s})",
        "divide({a}, {b}), multiply({s}, {b}), divide({t}, {b})",
    ),
}


def _literals(tokens: Tokens) -> list[int]:
    return [
        at for at, one in enumerate(tokens[:-1]) if one[-1:] not in ("(", ")") and one != "none"
    ]


def _numbers(gold: Gold) -> list[str]:
    """Some numbers of the page, as a model would copy them."""
    table = gold.page.table if gold.page else Table(())
    cells = [cell.strip("$ ").split("(")[0].strip() for row in table.rows for cell in row[1:]]
    return [cell for cell in cells if cell[:1].isdigit()] or ["1"]


def wrong_operand(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    places = _literals(tokens)
    at = generator.choice(places)
    return (*tokens[:at], generator.choice(_numbers(gold)), *tokens[at + 1 :])


def swapped_operands(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    if len(tokens) < 5:
        return tokens
    at = 4 * generator.randrange((len(tokens) - 1) // 4)
    return (*tokens[: at + 1], tokens[at + 2], tokens[at + 1], *tokens[at + 3 :])


def without_eof(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    return tokens[:-1]


def odd_token(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    at = generator.randrange(len(tokens))
    return (*tokens[:at], generator.choice(ODD_TOKENS), *tokens[at + 1 :])


def dropped_token(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    at = generator.randrange(len(tokens))
    return (*tokens[:at], *tokens[at + 1 :])


def other_operation(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    if len(tokens) < 5:
        return tokens
    at = 4 * generator.randrange((len(tokens) - 1) // 4)
    return (*tokens[:at], generator.choice(OPERATIONS), *tokens[at + 1 :])


def rewritten(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    """The same value in another form, at the last step."""
    if len(tokens) < 5:
        return tokens
    *earlier, op, first, second, _, _ = tokens
    forms = REWRITES.get(op)
    if forms is None:
        return tokens
    step = len(earlier) // 4
    form = generator.choice(forms)
    last = tokenize(form.format(a=first, b=second, s=f"#{step}", t=f"#{step + 1}"))
    return (*earlier, *last)


def unused_step(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    """A first step that nothing refers to; the references move by one."""
    if len(tokens) < 5:
        return tokens
    moved = [f"#{int(one[1:]) + 1}" if one[:1] == "#" else one for one in tokens]
    return (*tokens[:4], *moved) if "#" not in "".join(tokens[:4]) else tokens


def table_operation(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    rows = gold.page.table.rows if gold.page else ()
    header = generator.choice(rows)[0] if rows else "total"
    op = generator.choice(("table_max(", "table_min(", "table_sum(", "table_average("))
    last = generator.choice(((), ("table_max(", "#0", "none", ")"), ("divide(", "#0", "2", ")")))
    return (op, header, "none", ")", *last, "EOF")


def first_step(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    return (*tokens[:4], "EOF") if len(tokens) > 5 else tokens


def one_number(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    return (tokens[generator.choice(_literals(tokens))], "EOF")


def further_step(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    if len(tokens) < 5:
        return (*OPERATIONS[:1], tokens[0], tokens[0], ")", "EOF")
    last = f"#{len(tokens) // 4 - 1}"
    other = tokens[generator.choice(_literals(tokens))]
    return (*tokens[:-1], generator.choice(OPERATIONS), last, other, ")", "EOF")


def division_by_zero(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    """Two unused steps, the second of which cannot be executed: equal, with another result."""
    if len(tokens) < 5 or "#" in tokens[1]:
        return tokens
    moved = [f"#{int(one[1:]) + 2}" if one[:1] == "#" else one for one in tokens]
    first = tokens[1]
    return ("subtract(", first, first, ")", "divide(", first, "#0", ")", *moved)


def empty(tokens: Tokens, gold: Gold, generator: random.Random) -> Tokens:
    return generator.choice(((), ("EOF",)))


MUTATIONS: dict[str, Mutation] = {
    "wrong operand": wrong_operand,
    "swapped operands": swapped_operands,
    "without EOF": without_eof,
    "odd token": odd_token,
    "dropped token": dropped_token,
    "other operation": other_operation,
    "rewritten": rewritten,
    "unused step": unused_step,
    "table operation": table_operation,
    "first step only": first_step,
    "one number": one_number,
    "further step": further_step,
    "division by zero": division_by_zero,
    "empty": empty,
}
