"""How often the lines behind a question hold every new number of its turn.

    python benchmarks/ranking.py

ConvFinQA validation as recipes cut it from train, 100 conversations of seed 0; a number that stands
in several places counts where cell grounding takes it from (targets/grounding.py). First by the
number of lines, by BM25 and by the fitted ranking; then what the prompts show: their lines for this
question, how many these are, and the table with the lines of all questions so far. The last line
is one JSON object; its ``ratio`` is the share with one fitted line by that with one of BM25.
"""

from __future__ import annotations

import json

from crossfoot.chat.prompt import LISTED, PromptForm, likely_units
from crossfoot.pages.page import Page
from crossfoot.pages.ranking import likeliest
from crossfoot.pages.retrieval import ranked
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


def in_sight(page: Page, questions: list[str], form: PromptForm) -> set[str]:
    """The units of the table and those behind each question."""
    units = {name for name in filled_units(page) if not is_text(name)}
    for last in range(1, len(questions) + 1):
        units.update(likely_units(page, questions[:last], form))
    return units


def main() -> None:
    samples = choose(load_task("convfinqa", "validation"), CONVERSATIONS, 0)
    turns = [(sample.page, *turn) for sample in samples for turn in turns_of(sample)]
    bm25 = [ranked(page, " ".join([*asked, asked[-1]])) for page, asked, _ in turns]
    fitted = [tuple(name for name, _ in likeliest(page, asked)) for page, asked, _ in turns]
    held: dict[str, dict[int, float]] = {}
    for title, orders in (("bm25", bm25), ("fitted", fitted)):
        held[title] = {}
        for count in COUNTS:
            found = sum(turn[2] <= set(o[:count]) for turn, o in zip(turns, orders, strict=True))
            held[title][count] = found / len(turns)
            print(f"{title}, {count:2} lines: {held[title][count]:.1%} of {len(turns)} turns")
    shown = {}
    for form in LISTED:
        lines = [set(likely_units(page, questions, form)) for page, questions, _ in turns]
        found = sum(turn[2] <= line for turn, line in zip(turns, lines, strict=True))
        sight = sum(units <= in_sight(page, asked, form) for page, asked, units in turns)
        count = sum(map(len, lines)) / len(turns)
        shown[form] = {"lines": count, "held": found / len(turns), "in_sight": sight / len(turns)}
        print(f"{form}: {count:.1f} lines hold {found / len(turns):.1%}, ", end="")
        print(f"with the table and earlier lines {sight / len(turns):.1%}")
    document = {
        "benchmark": "ranking",
        "ratio": round(held["fitted"][1] / held["bm25"][1], 2),
        "compared": "turns whose new numbers stand in the first line: fitted by BM25",
        "held": held,
        "shown": shown,
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
