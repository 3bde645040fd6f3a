"""Synthetic conversations by number and seed, and their records in ConvFinQA's format.

Example: ``generate(2, seed=7)[1].sample_id`` is ``synth/7/1``; sample i is a function of the seed
and i alone. Format: ConvFinQA (Chen et al. 2022, https://github.com/czyssrs/ConvFinQA).
"""

from __future__ import annotations

from random import Random
from typing import Any

from crossfoot.arithmetic.program import execute_official, tokenize
from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.synthetic.conversations import PLANS, Asked, across
from crossfoot.tasks.synthetic.dealings import talk_of
from crossfoot.tasks.synthetic.figures import Grid, Line
from crossfoot.tasks.synthetic.pages import Draft, draw_page
from crossfoot.tasks.synthetic.wording import Voice
from crossfoot.tasks.units import infer_unit

MAX_TURNS = 6
MAX_TRIES = 100


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
    for attempt in range(MAX_TRIES):
        # Text seeds are hashed with sha512, the same on every platform and in every process.
        rng = Random(f"crossfoot/{seed}/{index}/{attempt}")
        name = f"synth/{seed}/{index}"
        draft = draw_page(f"{name}/page.pdf", rng)
        asked = _conversation(draft, rng)
        turns = _turns(asked, draft.page)
        if turns is not None and 2 <= len(turns) <= MAX_TURNS:
            return Sample(name, draft.page, turns)
    raise AssertionError(f"no conversation for seed {seed}, sample {index}")


def _conversation(draft: Draft, rng: Random) -> Asked:
    """One plan, or two on the same page."""
    asked: Asked = []
    goal = rng.choices((2, 3, 4, 5, 6), (18, 25, 24, 18, 15))[0]
    for _ in range(8):
        more = _ask(draft, rng)
        if more and len(asked) + len(more) <= MAX_TURNS and not _repeats(asked, more):
            asked += more
        if len(asked) >= goal:
            break
    return asked


def _repeats(asked: Asked, more: Asked) -> bool:
    done = {program for _, program in asked}
    return any(program in done for _, program in more)


def _ask(draft: Draft, rng: Random) -> Asked | None:
    """The turns of one plan on the table, on figures told in the text, or on an event."""
    source = rng.random()
    if draft.deals and source < 0.18:
        return talk_of(rng.choice(draft.deals), rng)
    grid: Grid = draft.table
    if draft.told and source > 0.7:
        grid = rng.choice(draft.told)
    voice = Voice(rng, grid, _all_lines(draft))
    if draft.told and rng.random() < 0.15:
        told = Voice(rng, rng.choice(draft.told), _all_lines(draft))
        return across(Voice(rng, draft.table, _all_lines(draft)), told, rng)
    plans = [plan for plan, _ in PLANS]
    return rng.choices(plans, [weight for _, weight in PLANS])[0](voice, rng)


def _all_lines(draft: Draft) -> tuple[Line, ...]:
    lines = draft.table.lines
    for grid in draft.told:
        lines += grid.lines
    return lines


def _turns(asked: Asked, page: Page) -> tuple[Turn, ...] | None:
    """The labelled turns, or None where a program does not execute."""
    turns = []
    for question, program in asked:
        valid, answer = execute_official(tokenize(program), page.table, convfinqa=True)
        if not valid or answer == "n/a" or isinstance(answer, complex):
            return None
        gold = Gold(answer, program, infer_unit(question, program, answer), page=page)
        turns.append(Turn(question, gold))
    return tuple(turns)
