"""Errors meant for people: one line that says what is wrong, where, and what to do.

The command line prints ``str(error)`` and exits with code 2.
"""

from __future__ import annotations

from pathlib import Path


class CrossfootError(Exception):
    """Anything a user can put right.

    ``file``, ``record`` and ``field`` say where; ``advice`` says what to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        record: str | int | None = None,
        field: str | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.record = record
        self.field = field
        self.advice = advice

    def __str__(self) -> str:
        where = []
        if self.file is not None:
            where.append(str(self.file))
        if self.record is not None:
            where.append(f"record {self.record}")
        if self.field is not None:
            where.append(f"field {self.field}")
        line = f"{', '.join(where)}: {self.message}" if where else self.message
        if self.advice:
            line = f"{line}; {self.advice}"
        return " ".join(line.split())


def first_line(error: BaseException) -> str:
    """What another library's error says first, for a line of our own."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


class DataError(CrossfootError):
    """A file or record that is missing, unreadable or malformed."""


class RecipeError(CrossfootError):
    """A recipe, option or name that does not exist or does not fit."""


class ModelError(CrossfootError):
    """A model, adapter or engine that cannot be loaded or does not fit."""


class CalculatorError(CrossfootError):
    """An expression the calculator refuses; the message goes back to the model."""


class ProgramError(CrossfootError):
    """A program that does not parse or cannot be executed."""
