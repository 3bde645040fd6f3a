"""The one grading of the product: reward, evaluation, demo and API all call ``grade``.

``grade(Submission(Answer(94.0, "absolute")), gold)`` is ``Verdict(True)``, or
``Verdict(False, "wrong_cell", "used 4918.1 (debt, 2016) where 3949.1 (2015) was needed")``.
"""

from __future__ import annotations

from crossfoot.grading.answer import Gold, Submission, Verdict
from crossfoot.grading.errors import ERROR_CLASSES, error_of
from crossfoot.grading.graders import is_correct

__all__ = ["ERROR_CLASSES", "grade"]


def grade(submission: Submission, gold: Gold, grader: str = "official") -> Verdict:
    """Right or wrong by the grader of that name and, where wrong, the error class and why."""
    if is_correct(submission, gold, grader):
        return Verdict(True)
    error, reason = error_of(submission, gold, convfinqa=grader == "official_convfinqa")
    return Verdict(False, error, reason)
