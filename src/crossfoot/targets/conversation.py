"""A labelled conversation as messages: gold turn programs become tool calls.

A turn whose program is one number stands on the page and has one assistant message
(``submit_answer``); any other has two (``calculate`` with the folded program, then
``submit_answer`` with the result as the calculator returned it).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from crossfoot.arithmetic.calculator import calculate
from crossfoot.arithmetic.expression import fold
from crossfoot.chat.messages import Message, call, tool_result
from crossfoot.chat.prompt import GROUNDED, PromptForm, question_message, system_message
from crossfoot.errors import CrossfootError, DataError
from crossfoot.grading.answer import Gold, Submission, parse_answer
from crossfoot.grading.verdict import grade
from crossfoot.pages.page import Page
from crossfoot.targets.grounding import grounding, operands_as_written
from crossfoot.tasks.base import Sample, Turn


def is_looked_up(program: str) -> bool:
    """Whether a gold program is one number that stands on the page."""
    return "(" not in program


def turn_messages(
    turn: Turn,
    form: PromptForm = "short",
    earlier: Sequence[Turn] = (),
    page: Page | None = None,
    known: Collection[str] | None = None,
) -> list[Message]:
    """The question and the assistant and tool messages that answer it, from the gold program.

    ``earlier`` are the turns before it, whose numbers a grounded form does not say again; ``page``
    is the page as the prompt shows it, of which a ranked form repeats lines and a grounded one
    quotes; ``known`` are numbers to take for grounded instead of those of ``earlier``.
    Raises DataError where the program does not lead to the labelled answer.
    """
    gold = turn.gold
    if gold is None:
        raise DataError("a turn without labels cannot be trained on", record=turn.question)
    questions = [*(before.question for before in earlier), turn.question]
    messages = [question_message(page, questions, form)]
    if known is None:
        golds = [before.gold for before in earlier if before.gold is not None]
        known = {literal for before in golds for literal in operands_as_written(before)}
    said = ""
    if form in GROUNDED:
        shown = gold if page is None else replace(gold, page=page)
        said = grounding(shown, questions, known, scale=form == "scaled")
    if is_looked_up(gold.program):
        value = gold.program.strip().removesuffix("%") if gold.unit == "percent" else gold.program
    else:
        expression = fold(gold.program, gold.page.table if gold.page else None)
        value = calculate(expression)
        messages += [
            call("calculate", said, expression=expression),
            tool_result("calculate", value),
        ]
        said = ""
    messages.append(call("submit_answer", said, value=value, unit=gold.unit))
    _check(value, gold)
    return messages


def conversation_messages(sample: Sample, form: PromptForm) -> list[Message]:
    """The whole gold conversation, up to the first turn whose program contradicts its answer."""
    messages = [system_message(sample.page, form)]
    for index, turn in enumerate(sample.turns):
        try:
            messages += turn_messages(turn, form, sample.turns[:index], sample.page)
        except CrossfootError:
            break
    return messages


def _check(value: str, gold: Gold) -> None:
    verdict = grade(Submission(parse_answer(value, gold.unit)), gold)
    if not verdict.correct:
        raise DataError(f"program {gold.program} gives {value}, labelled {gold.answer}")
