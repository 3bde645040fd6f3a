"""A labelled conversation as messages: gold turn programs become tool calls.

A turn whose program is one number stands on the page and has one assistant message
(``submit_answer``); any other has two (``calculate`` with the folded program, then
``submit_answer`` with the result as the calculator returned it).
"""

from __future__ import annotations

from crossfoot.arithmetic.calculator import calculate
from crossfoot.arithmetic.expression import fold
from crossfoot.chat.messages import Message, call, tool_result, user
from crossfoot.chat.prompt import PromptForm, system_message
from crossfoot.errors import CrossfootError, DataError
from crossfoot.grading.answer import Gold, Submission, parse_answer
from crossfoot.grading.verdict import grade
from crossfoot.tasks.base import Sample, Turn


def is_looked_up(program: str) -> bool:
    """Whether a gold program is one number that stands on the page."""
    return "(" not in program


def turn_messages(turn: Turn) -> list[Message]:
    """The question and the assistant and tool messages that answer it, from the gold program.

    Raises DataError where the program does not lead to the labelled answer.
    """
    gold = turn.gold
    if gold is None:
        raise DataError("a turn without labels cannot be trained on", record=turn.question)
    messages = [user(turn.question)]
    if is_looked_up(gold.program):
        value = gold.program.strip().removesuffix("%") if gold.unit == "percent" else gold.program
    else:
        expression = fold(gold.program, gold.page.table if gold.page else None)
        value = calculate(expression)
        messages += [call("calculate", expression=expression), tool_result("calculate", value)]
    messages.append(call("submit_answer", value=value, unit=gold.unit))
    _check(value, gold)
    return messages


def conversation_messages(sample: Sample, form: PromptForm) -> list[Message]:
    """The whole gold conversation, up to the first turn whose program contradicts its answer."""
    messages = [system_message(sample.page, form)]
    for turn in sample.turns:
        try:
            messages += turn_messages(turn)
        except CrossfootError:
            break
    return messages


def _check(value: str, gold: Gold) -> None:
    verdict = grade(Submission(parse_answer(value, gold.unit)), gold)
    if not verdict.correct:
        raise DataError(f"program {gold.program} gives {value}, labelled {gold.answer}")
