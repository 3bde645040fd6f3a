"""One conversation on one page, question by question, with its working.

For each number that an answer used, ``ground`` names the cell or sentence where it stands on the
page, or the earlier answer that it repeats; a number that stands nowhere is worth a warning.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import cast

from crossfoot.agent.loop import Limits, TurnTranscript, answer_turn
from crossfoot.arithmetic.calculator import calculate, literals
from crossfoot.arithmetic.program import number
from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import PromptForm, question_message, system_message
from crossfoot.engines.base import Engine, Generation
from crossfoot.errors import CalculatorError, CrossfootError, DataError
from crossfoot.pages.page import Page
from crossfoot.pages.places import find_number
from crossfoot.targets.grounding import false_cells

MAX_QUESTION_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Ground:
    """A number of an expression or answer and where it comes from; no place is a warning.

    So is a cell that the model named and that does not stand so on the page.
    """

    literal: str
    places: tuple[str, ...]


@dataclass
class PageConversation:
    """A conversation on ``page``; ``ask`` answers the next question."""

    page: Page
    engine: Engine
    form: PromptForm = "short"
    limits: Limits = field(default_factory=Limits)
    messages: list[Message] = field(default_factory=list)
    earlier: dict[float, str] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)

    def ask(self, question: str) -> tuple[TurnTranscript, list[Ground]]:
        """The turn's transcript, and the grounds of every number it used."""
        question = " ".join(question.split())
        check_question(question)
        if not self.messages:
            self.messages.append(system_message(self.page, self.form))
        before = len(self.messages)
        self.messages.append(question_message(self.page, [*self.questions, question], self.form))
        try:
            transcript = self._run(answer_turn(self.messages, self.limits))
        except CrossfootError:
            del self.messages[before:]
            raise
        self.questions.append(question)
        return transcript, self._grounds(transcript)

    def _run(self, turn: Generator[list[Message], Generation, TurnTranscript]) -> TurnTranscript:
        waiting = next(turn)
        while True:
            (generation,) = self.engine.generate([waiting], self.limits.new_tokens)
            try:
                waiting = turn.send(generation)
            except StopIteration as finished:
                return cast(TurnTranscript, finished.value)

    def _grounds(self, transcript: TurnTranscript) -> list[Ground]:
        submission = transcript.submission
        grounds: dict[str, Ground] = {}
        for message in transcript.messages:
            if message.get("tool_calls"):
                for cell in false_cells(message["content"], self.page):
                    grounds[cell] = Ground(cell, ())
        results: set[float | None] = set()
        for expression in submission.expressions:
            for literal in literals(expression):
                grounds.setdefault(literal, self.ground(literal))
            result = number(calculate(expression))
            results.add(result)
            if result is not None:
                self.earlier.setdefault(result, f"calculated for question {len(self.questions)}")
        answer = submission.answer
        if answer is not None and not isinstance(answer.value, str):
            literal = f"{answer.text.rstrip('%')}%" if answer.unit == "percent" else answer.text
            if answer.value not in results:
                grounds.setdefault(literal, self.ground(literal))
            self.earlier.setdefault(answer.value, f"the answer to question {len(self.questions)}")
        return list(grounds.values())

    def ground(self, literal: str) -> Ground:
        """Where a number stands: on the page, else among what was calculated earlier."""
        places = tuple(place.describe() for place in find_number(self.page, literal))
        value = number(literal)
        if not places and value is not None and value in self.earlier:
            places = (self.earlier[value],)
        return Ground(literal, places)


def check_question(question: str) -> None:
    """Raise DataError for a question that cannot be asked."""
    shown = question[:60].encode("ascii", "backslashreplace").decode()
    if not question.strip():
        raise DataError("a question is empty", advice="give each question as one quoted argument")
    if len(question) > MAX_QUESTION_CHARS:
        raise DataError(f"longer than {MAX_QUESTION_CHARS} characters", record=f"question {shown}")
    try:
        question.encode()
    except UnicodeEncodeError:
        raise DataError("not readable as UTF-8", record=f"question {shown}") from None


def is_constant(literal: str) -> bool:
    """Whether a number may well be none of the page's: counts and powers of ten."""
    try:
        value = abs(float(calculate(literal)))
    except (CalculatorError, ValueError):
        return False
    return value in {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 100, 1000, 1e6, 1e9}
