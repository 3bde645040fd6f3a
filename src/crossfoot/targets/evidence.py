"""Where in a prompt the numbers stand that gold programs take from the page.

A trainer that cuts prompts to a limit would lose some of them, and the target would then ask for a
number that the model was never shown; ``cut_by`` says how many. ``numbers_stand`` says whether the
page of a conversation has them all, but for those that a question brings along.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from crossfoot.chat.messages import Message
from crossfoot.chat.template import Chat
from crossfoot.grading.operands import gold_operands
from crossfoot.pages.places import find_number
from crossfoot.targets.grounding import operands_as_written
from crossfoot.tasks.base import Sample

_DOCUMENT = "<document>"
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def evidence_positions(sample: Sample, opening: Sequence[Message], chat: Chat) -> list[int]:
    """For each gold operand of each turn, the token at which its first occurrence ends.

    ``opening`` are the messages up to the first question. Operands that do not stand in it as
    digits (results, constants) have none. Needs a fast tokenizer, which knows the characters of
    its tokens.
    """
    text = chat.prompt_text(opening)
    encoding = chat.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ends = [end for _, end in encoding["offset_mapping"]]
    places: dict[float, int] = {}
    for match in _NUMBER.finditer(text, text.find(_DOCUMENT)):
        places.setdefault(float(match.group().replace(",", "")), match.end())
    return [
        bisect_left(ends, places[abs(operand)])
        for turn in sample.turns
        if turn.gold is not None
        for operand in gold_operands(turn.gold)
        if abs(operand) in places
    ]


def numbers_stand(sample: Sample) -> bool:
    """Whether every number and row name of the gold programs stands on the page or was asked."""
    rows = {row[0] for row in sample.page.table.rows if row}
    found = (number for turn in sample.turns for number in _NUMBER.findall(turn.question))
    asked = {number.replace(",", "") for number in found}
    return all(
        literal in rows or literal.rstrip("%") in asked or find_number(sample.page, literal)
        for turn in sample.turns
        if turn.gold is not None
        for literal in operands_as_written(turn.gold)
    )


def quoted_numbers(samples: Iterable[Sample]) -> tuple[int, int]:
    """Numbers that targets quote, and those of them that stand in several places of their page.

    Of several places the one is quoted whose words are most like the questions (grounding.meant):
    a guess where nobody labelled it. Each number counts once a conversation.
    """
    places = [
        len(find_number(sample.page, literal))
        for sample in samples
        for literal in {
            literal
            for turn in sample.turns
            if turn.gold is not None
            for literal in operands_as_written(turn.gold)
        }
    ]
    return sum(count > 0 for count in places), sum(count > 1 for count in places)


def cut_by(limit: int, openings: Iterable[tuple[Sample, Sequence[Message]]], chat: Chat) -> float:
    """The fraction of gold operands beyond the first ``limit`` tokens of their prompts."""
    positions = [
        position
        for sample, opening in openings
        for position in evidence_positions(sample, opening, chat)
    ]
    return sum(position >= limit for position in positions) / max(len(positions), 1)
