"""Samples: one conversation on one page."""

from __future__ import annotations

from dataclasses import dataclass

from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page


@dataclass(frozen=True, slots=True)
class Turn:
    """One question; ``gold`` is None in a conversation without labels."""

    question: str
    gold: Gold | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation on one page."""

    sample_id: str
    page: Page
    turns: tuple[Turn, ...]
