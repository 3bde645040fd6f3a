"""How often the lines behind a question hold every new number of its turn, by how many there are.

    python benchmarks/ranking.py

ConvFinQA validation as recipes cut it from train, 100 conversations of seed 0; a number that stands
in several places counts where cell grounding takes it from (targets/grounding.py). Then what a
ranked prompt shows: the table and the lines behind this question and all before it. The last line
is one JSON object; its ``ratio`` is the share with the lines that a ranked prompt shows by the
share with one line.
"""

from __future__ import annotations

import json

from crossfoot.chat.prompt import LINES, likely_units
from crossfoot.pages.page import Page
from crossfoot.pages.units import filled_units, is_text
from crossfoot.targets.grounding import meant, operands_as_written
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.split import choose

CONVERSATIONS = 100
COUNTS = (1, 2, 3, 4, 5, 6, 8, 10)


def turns_of(sample: Sample) -> list[tuple[list[str], set[str]]]:
    """For each turn with new numbers the questions so far and the units that hold the numbers."""
    found = []
    known: set[str] = set()
    for index, turn in enumerate(sample.turns):
        questions = [one.question for one in sample.turns[: index + 1]]
        literals = operands_as_written(turn.gold) if turn.gold else []
        new = [literal for literal in literals if literal not in known]
        known.update(literals)
        places = [meant(sample.page, literal, questions) for literal in new]
        units = {place.unit for place in places if place is not None}
        if units:
            found.append((questions, units))
    return found


def in_sight(page: Page, questions: list[str], count: int) -> set[str]:
    """The units of the table and those behind each question, ``count`` of them."""
    units = {name for name in filled_units(page) if not is_text(name)}
    for last in range(1, len(questions) + 1):
        units.update(likely_units(page, questions[:last], count))
    return units


def main() -> None:
    samples = choose(load_task("convfinqa", "validation"), CONVERSATIONS, 0)
    turns = [(sample.page, *turn) for sample in samples for turn in turns_of(sample)]
    held: dict[int, float] = {}
    for count in COUNTS:
        found = sum(
            units <= set(likely_units(page, questions, count)) for page, questions, units in turns
        )
        held[count] = found / len(turns)
        print(f"{count:2} lines: {held[count]:.1%} of {len(turns)} turns", flush=True)
    sight: dict[int, float] = {}
    for count in COUNTS:
        found = sum(units <= in_sight(*turn, count) for *turn, units in turns)
        sight[count] = found / len(turns)
        print(f"table, and {count:2} lines a question: {sight[count]:.1%}", flush=True)
    document = {
        "benchmark": "ranking",
        "ratio": round(held[LINES] / held[1], 2),
        "compared": f"turns whose new numbers stand in {LINES} lines by those with one line",
        "held": held,
        "in_sight": sight,
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
