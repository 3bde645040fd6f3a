"""Conversations on pages in another scale: amounts and answers follow, all else stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crossfoot.arithmetic.program import execute
from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.pages.scale import find_scale
from crossfoot.pages.table import Table
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.synthetic.rescaling import rescaled

PAGE = Page(
    "debt.pdf",
    ("the tables below summarize our debt ( in millions , except per share data ) .",),
    Table(
        (
            ("", "2016", "2015"),
            ("total debt", "$ 6,225.2", "5879"),
            ("loss from corporate operations", "-26 ( 26 )", "( 12 )"),
            ("earnings per share", "1.17", "1.10"),
            ("effective rate", "2.7%", "3.0%"),
        )
    ),
    ("we paid $ 121.1 million in interest .",),
)


def conversation(*asked, page=PAGE):
    turns = tuple(
        Turn(question, Gold(0.0, program, "absolute", page=page)) for question, program in asked
    )
    return Sample("debt", page, turns)


DEBT = ("what was total debt in 2016?", "6225.2")
CHANGE = ("what was the change?", "subtract(6225.2, 5879)")
GROWTH = ("and in percent?", "subtract(6225.2, 5879), divide(#0, 5879)")


def test_amounts_and_answers_follow_and_shares_stay():
    new = rescaled(conversation(DEBT, CHANGE, GROWTH), seed=0)
    scale = find_scale(new.page)
    assert (scale.factor, scale.exception) in {
        (1e3, "except per share data"),
        (1e9, "except per share data"),
    }
    ratio = 1e6 / scale.factor
    assert [turn.gold.answer for turn in new.turns] == [
        pytest.approx(6225.2 * ratio),
        pytest.approx(346.2 * ratio),
        pytest.approx(0.05889),
    ]
    for turn in new.turns:
        assert execute(turn.gold.program, new.page.table) == turn.gold.answer
        assert turn.gold.page is new.page


def test_cells_keep_their_form_and_other_numbers_stay():
    pages = {rescaled(conversation(DEBT), seed).page.page_id: seed for seed in range(20)}
    assert sorted(pages) == ["debt.pdf/billion", "debt.pdf/thousand"]
    page = rescaled(conversation(DEBT), pages["debt.pdf/thousand"]).page
    assert page.table.rows[1:] == (
        ("total debt", "$ 6225200", "5879000"),
        ("loss from corporate operations", "-26000 ( 26000 )", "( 12000 )"),
        ("earnings per share", "1.17", "1.10"),
        ("effective rate", "2.7%", "3.0%"),
    )
    assert page.after == PAGE.after
    page = rescaled(conversation(DEBT), pages["debt.pdf/billion"]).page
    assert page.table.rows[1] == ("total debt", "$ 6.2252", "5.879")


@pytest.mark.parametrize(
    ("question", "program"),
    [
        ("and in thousands?", "multiply(6225.2, const_1000)"),
        ("and as a number?", "multiply(6225.2, const_1000)"),
        ("what was the interest?", "121.1"),
        ("what were the earnings per share?", "1.17"),
        ("over one hundred?", "subtract(6225.2, const_100)"),
        ("no program", "total debt"),
    ],
)
def test_a_conversation_that_cannot_follow_is_left(question, program):
    assert rescaled(conversation(DEBT, (question, program)), seed=0) is None


@pytest.mark.parametrize(
    "page",
    [
        replace(PAGE, before=("our debt .",)),
        replace(
            PAGE,
            before=("debt in millions",),
            table=Table((("", "2016"), ("debt", "6225.2"), ("shares in millions", "2"))),
        ),
        replace(PAGE, table=Table((("", "2016", "% change"), ("total debt", "6225.2", "5879")))),
        replace(PAGE, table=Table((("total debt", "6225.2"),))),
        replace(PAGE, table=Table(())),
    ],
)
def test_a_page_without_plain_scale_or_header_is_left(page):
    assert rescaled(conversation(("what was it?", "6225.2"), page=page), seed=0) is None


def test_real_conversations_follow(shared_data):
    samples = load_task("convfinqa", "dev", shared_data)[:150]
    found = [(sample, rescaled(sample, seed=1)) for sample in samples]
    followed = [(sample, new) for sample, new in found if new is not None]
    assert len(followed) > 20
    for sample, new in followed:
        ratio = find_scale(sample.page).factor / find_scale(new.page).factor
        for turn, other in zip(sample.turns, new.turns, strict=True):
            before, after = turn.gold.answer, other.gold.answer
            if isinstance(before, str):
                assert after == before
            else:
                assert any(
                    after == pytest.approx(before * power, rel=1e-3, abs=2e-4)
                    for power in (1, ratio, ratio * ratio)
                )
