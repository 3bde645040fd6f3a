"""Submissions that are nothing but text: a program, a number or an answer string.

``submission_of("divide(637, const_5)", "program")`` submits a program.
"""

from __future__ import annotations

from typing import Literal, get_args

from crossfoot.arithmetic.program import tokenize
from crossfoot.grading.answer import Submission, parse_answer
from crossfoot.grading.written import read_answer

Form = Literal["program", "numerical", "answer"]
FORMS: tuple[Form, ...] = get_args(Form)


def submission_of(text: str, form: Form) -> Submission:
    """What a text submits.

    A program is read as the official scripts read it. A number stands alone, or in an answer
    string is the only one ("$ 17966 million"); a percent sign divides it by one hundred.
    """
    text = text.strip()
    if form == "program":
        return Submission(program=tokenize(text))
    answer = read_answer(text) if form == "answer" else parse_answer(text, "absolute")
    return Submission(answer, malformed=answer is None and bool(text))


def first_line(reply: str) -> str:
    """The first line of a reply that says something: what a model adds below it does not count."""
    return next((line.strip() for line in reply.splitlines() if line.strip()), "")
