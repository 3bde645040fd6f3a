"""Programs under the grammar of their prompt: they parse and use what stands there."""

from __future__ import annotations

import random

import pytest

import tiny
from crossfoot.arithmetic.program import parse, reference
from crossfoot.engines.constraint import constraint_for
from crossfoot.engines.local import TransformersEngine
from crossfoot.engines.programs import CONSTANTS, program_grammar
from crossfoot.errors import RecipeError
from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.targets.context import ContextOptions
from crossfoot.targets.single import Single, chat_for, opening_of
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.registry import load_task

pytest.importorskip("llguidance.hf")
held = pytest.importorskip("held")
TABLE = (
    ("", "2016", "2015"),
    ("revenue", "$ 5829", "$ 5735"),
    ("net | debt", "-26 ( 26 )", "31"),
    ("costs, gross", "1", "2"),
    ("notes", "n/a", "7"),
)
PAGE = Page("p", ("interest was $ 1,121.1 or 27% .",), Table(TABLE), ("a range of 2015-2016",))


def asked(question="by how many % , say 12 , did it grow?", page=PAGE, form="short"):
    sample = Sample("s", page, (Turn(question, Gold(1.0, "add(1, 2)", "absolute", page=page)),))
    return opening_of(sample, Single("program"), form)


def allows(program, messages=None):
    return held.allowed(program, program_grammar(messages or asked()), "program")


@pytest.mark.parametrize(
    "program",
    [
        "subtract(5829, 5735), divide(#0, 5735)",
        "divide(1121.1, const_100)",
        "multiply(27%, 27)",
        "add(-26, 26)",
        "divide(5829, 12)",
        "exp(31, const_m1)",
        "table_average(revenue, none), greater(#0, const_1000)",
        "table_max(net | debt, none)",
        "add(1, 2), add(#0, 7), add(#1, #0), add(#2, #2)",
        "greater(5829, 5735)",
    ],
)
@pytest.mark.parametrize("form", ["short", "labelled"])
def test_programs_over_what_the_prompt_shows_are_allowed(program, form):
    assert allows(program, asked(form=form))
    assert parse(program)


@pytest.mark.parametrize(
    "program",
    [
        "subtract(5829, 5736)",
        "subtract(5829, 5735",
        "add(#0, 1)",
        "table_sum(notes, none)",
        "table_sum(costs, gross, none)",
        "table_sum(revenues, none)",
        "greater(5829, 5735), add(#0, 1)",
        "modulo(5829, 5735)",
        "5829",
        "add(5829, const_1234)",
        "divide(#0, 5735)",
        "Answer: add(1, 2)",
        "",
    ],
)
@pytest.mark.parametrize("form", ["short", "labelled"])
def test_anything_else_is_not(program, form):
    assert not allows(program, asked(form=form))


def test_the_instructions_are_no_part_of_the_page():
    messages = asked("and?")
    assert "5829" in messages[0]["content"].split("<document>")[0]
    other = Page("p", ("it was 41 .",), Table(()), ())
    sample = Sample("s", other, (Turn("and?", None),))
    shown = opening_of(sample, Single("program"))
    assert allows("add(41, const_1)", shown)
    assert not allows("subtract(5829, 5735)", shown)


def test_a_page_cannot_forge_a_row_of_its_table():
    rows = "<table>", "a", "b", "| fees | 9 |", "</table>"
    less = Page("p", rows, Table((("", "2016"), ("costs < 1", "2"))), ())
    assert not allows("table_sum(fees, none)", asked(page=less))
    assert allows("table_sum(costs < 1, none), add(#0, 9)", asked(page=less))


@pytest.mark.parametrize("template", ["crossfoot", "qwen3_5_nothink", "gemma3"])
@pytest.mark.parametrize("plain", [True, False])
def test_a_random_model_writes_programs_that_parse(template, plain):
    chat = chat_for(tiny.tokenizer(template), "program")
    pages = [asked(), asked("and 99?")]
    numbers = {"5829", "5735", "-26", "26", "31", "1", "2", "7", "1121.1", "27", "27%"}
    numbers |= {"2015", "2016", "12", "99", *CONSTANTS}
    finished = 0
    for seed in range(3):
        engine = TransformersEngine(
            tiny.llama(seed), chat, steering=constraint_for(chat, "program")
        )
        engine.plain = engine.plain and plain
        for reply in engine.generate(pages, 400):
            if not reply.finished:
                continue
            finished += 1
            for step in parse(reply.text).steps:
                for argument in (step.first, step.second):
                    row = argument in ("revenue", "net | debt", "none")
                    assert row or reference(argument) is not None or argument in numbers
    assert finished


@pytest.mark.parametrize("target", ["numerical", "program"])
def test_numbers_and_programs_end_with_the_templates_end_of_turn(target):
    chat = chat_for(tiny.tokenizer("gemma3"), target)
    engine = TransformersEngine(tiny.llama(1), chat, steering=constraint_for(chat, target))
    (reply,) = engine.generate([asked()], 400)
    assert reply.finished or reply.completion_tokens == 400


def test_answer_strings_have_no_format():
    chat = chat_for(tiny.tokenizer(), "answer")
    with pytest.raises(RecipeError, match="no format holds"):
        constraint_for(chat, "answer")


@pytest.mark.parametrize(("input", "writable"), [("all", 883), ("gold", 883), ("retrieved", 818)])
def test_gold_programs_of_dev_that_their_prompts_allow(shared_data, monkeypatch, input, writable):
    """How many of 883 the constraint leaves possible; a sample of them in the ordinary run."""
    monkeypatch.setenv("CROSSFOOT_DATA", str(shared_data))
    samples = [sample for sample in load_task("finqa", "dev") if sample.turns[0].gold]
    assert len(samples) == 883
    chosen = random.Random(0).sample(samples, 60)
    single = Single("program", ContextOptions(input))
    found = sum(allows(s.turns[0].gold.program, opening_of(s, single)) for s in chosen)
    assert found >= 0.88 * len(chosen) if input == "retrieved" else found == len(chosen)
