"""Synthetic conversations by number and seed, and their records in ConvFinQA's format.

Example: ``generate(2, seed=7)[1].sample_id`` is ``synth/7/1``; sample i is a function of the seed
and of i alone. Format: ConvFinQA (Chen et al. 2022, https://github.com/czyssrs/ConvFinQA).
"""

from __future__ import annotations

from random import Random
from typing import Any

from crossfoot.arithmetic.program import execute_official, tokenize
from crossfoot.errors import CrossfootError
from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.synthetic.asking import Asked
from crossfoot.tasks.synthetic.conversations import MIN_TURNS, draw_conversation
from crossfoot.tasks.synthetic.pages import draw_page
from crossfoot.tasks.units import infer_unit

_ATTEMPTS = 100


def generate(count: int, seed: int) -> list[Sample]:
    """The first ``count`` conversations of a seed."""
    return [_sample(seed, index) for index in range(count)]


def to_record(sample: Sample) -> dict[str, Any]:
    """A sample as a ConvFinQA record."""
    golds = [turn.gold for turn in sample.turns if turn.gold is not None]
    return {
        "id": sample.sample_id,
        "filename": sample.page.page_id,
        "pre_text": list(sample.page.before),
        "post_text": list(sample.page.after),
        "table": [list(row) for row in sample.page.table.rows],
        "annotation": {
            "dialogue_break": [turn.question for turn in sample.turns],
            "turn_program": [gold.program for gold in golds],
            "exe_ans_list": [gold.answer for gold in golds],
            "qa_split": [0] * len(golds),
        },
    }


def _sample(seed: int, index: int) -> Sample:
    name = f"synth/{seed}/{index}"
    for attempt in range(_ATTEMPTS):
        # A seed that is text is hashed with sha512: the same in every process.
        rng = Random(f"crossfoot/{seed}/{index}/{attempt}")
        draft = draw_page(f"{name}/page.pdf", rng)
        turns = labelled(draw_conversation(draft, rng), draft.page)
        if len(turns) >= MIN_TURNS:
            return Sample(name, draft.page, turns)
    raise CrossfootError(f"no page of seed {seed} gave sample {index}")


def labelled(asked: Asked, page: Page) -> tuple[Turn, ...]:
    """The turns with their answers; none where a program does not execute."""
    turns = []
    for question, program in asked:
        valid, answer = execute_official(tokenize(program), page.table, convfinqa=True)
        if not valid or answer == "n/a" or isinstance(answer, complex):
            return ()
        gold = Gold(answer, program, infer_unit(question, program, answer), page=page)
        turns.append(Turn(question, gold))
    return tuple(turns)
