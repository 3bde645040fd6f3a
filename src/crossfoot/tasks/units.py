"""The unit of a gold answer, inferred: FinQA and ConvFinQA label none.

The rule, in this order:

1. a yes/no answer is ``yes_no``;
2. one literal with a percent sign (``27%``, executed to 0.27) is ``percent``: it is submitted as
   the page prints it, 27, and the official rule divides it by 100;
3. a program that divides last, or adds and subtracts nothing but such quotients, percentages and
   ``const_1``, is a ``fraction`` where the question speaks of a share or a relative change;
4. a question that asks "how many" or for "the number of" things other than money is a ``count``;
5. all else is ``absolute``.

A percentage that a program computes is a fraction of 1 (``exe_ans`` 0.1424 for 14.24%).
"""

from __future__ import annotations

import re

from crossfoot.grading.answer import Unit

_RELATIVE = re.compile(
    r"percent|%|portion|proportion|\bratio|\brate\b|growth|fraction|return|share of|"
    r"relati(?:on|ve)|represent|margin|yield|increase|decrease|decline|change|as a part|\broi\b"
)
_COUNT = re.compile(r"\bhow many\b(?! percent| point)|\bnumber of\b")
_MONEY = re.compile(r"\bdollar|\bmillion|\bbillion|\bthousand|\$")
_STEP = re.compile(r"([a-z_]+)\(([^()]*)\)")


def infer_unit(question: str, program: str, answer: float | str) -> Unit:
    """The unit of a gold answer by the rule above."""
    question = question.lower()
    if answer in ("yes", "no"):
        return "yes_no"
    if "(" not in program:
        if program.strip().endswith("%"):
            return "percent"
    elif _is_quotient(program) and _RELATIVE.search(question):
        return "fraction"
    if _COUNT.search(question) and not _MONEY.search(question):
        return "count"
    return "absolute"


def _is_quotient(program: str) -> bool:
    """Whether the last step divides, or combines only quotients, percentages and 1."""
    quotients: list[bool] = []
    for operation, arguments in _STEP.findall(program):
        parts = [part.strip() for part in arguments.split(",")]
        whole = all(_is_part(part, quotients) for part in parts)
        quotients.append(operation == "divide" or (operation in ("add", "subtract") and whole))
    return bool(quotients) and quotients[-1]


def _is_part(argument: str, quotients: list[bool]) -> bool:
    if argument.startswith("#") and argument[1:].isdecimal():
        return int(argument[1:]) < len(quotients) and quotients[int(argument[1:])]
    return argument == "const_1" or argument.endswith("%")
