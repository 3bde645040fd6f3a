"""What a reply quotes and picks, weighed by the ranking of the lines that were shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import tiny
from crossfoot.chat.messages import call, tool_result
from crossfoot.chat.prompt import question_message, system_message
from crossfoot.chat.template import Chat
from crossfoot.engines import prior as prior_module
from crossfoot.engines.local import TransformersEngine
from crossfoot.engines.prior import CHARS, TOKENS, UNLIKELY, LinePrior
from crossfoot.pages.page import Page
from crossfoot.pages.ranking import likeliest
from crossfoot.pages.table import Table

# A page whose units each begin with another word, so that no two share tokens but of "text: ".
PAGE = Page(
    "p",
    ("interest paid was $ 121.1 in 2016 . rates were 4% .",),
    Table((("", "2016", "2015"), ("revenue", "5829", "5735"), ("costs", "4210", "4305"))),
    (),
)
QUESTION = "what was revenue in 2016?"
QUOTES = (
    "revenue: 2016 = 5829",
    "costs: 2016 = 4210",
    "text: interest paid was $",
    "text: rates were 4",
)
CHAT = Chat(tiny.tokenizer())


def ids(text):
    return CHAT.tokenizer(text, add_special_tokens=False)["input_ids"]


def asked(*questions, page=PAGE, form="grounded"):
    messages = [system_message(page, form)]
    for count in range(1, len(questions) + 1):
        messages.append(question_message(page, questions[:count], form))
        if count < len(questions):
            messages.append({"role": "assistant", "content": "so it is"})
    return messages


def prior_of(messages, inner=None):
    prior = LinePrior(CHAT.tokenizer, CHAT.end_id, inner)
    prior.read([messages])
    prior.begin(0)
    return prior


def added(prior, said):
    """What the prior adds to the scores behind a reply that begins with ``said``."""
    prior.begin(0)
    for token in said:
        prior.accept(0, token)
    scores = torch.zeros(len(CHAT.tokenizer))
    prior.adjust(0, scores)
    return scores


def weight(messages, quote, behind="Cells:"):
    """The logarithms that are added along the tokens of a quote, together."""
    prior = prior_of(messages)
    start, tokens = len(ids(behind)), ids(f"{behind} {quote}")
    return sum(
        float(added(prior, tokens[:place])[tokens[place]]) for place in range(start, len(tokens))
    )


@pytest.mark.parametrize(
    ("questions", "likely"),
    [
        ([QUESTION], "revenue: 2016 = 5829"),
        (["what were the costs?"], "costs: 2016 = 4210"),
        (["how much interest was paid?"], "text: interest paid was $"),
        (["what were the costs in 2016?", "and in 2015?"], "costs: 2016 = 4210"),
    ],
)
@pytest.mark.parametrize("form", ["grounded", "chosen"])
def test_the_likeliest_line_weighs_most(questions, likely, form):
    messages = asked(*questions, form=form)
    weights = {quote: weight(messages, quote) for quote in QUOTES}
    assert max(weights, key=weights.__getitem__) == likely


def test_the_weights_of_a_line_are_its_share():
    messages = asked("what was paid?")
    shares = dict(likeliest(PAGE, ["what was paid?"]))
    expected = [shares["table_1"], shares["table_2"], *[shares["text_0"] / 2] * 2]
    assert min(expected) > UNLIKELY
    found = [weight(messages, quote) for quote in QUOTES]
    assert found == pytest.approx([math.log(share) for share in expected], abs=1e-3)


def test_what_is_no_line_is_unlikely_and_not_forbidden():
    scores = added(prior_of(asked(QUESTION)), ids("Cells:"))
    assert scores.min() == pytest.approx(math.log(UNLIKELY))
    assert scores[ids("Cells: revenue")[-1]] == scores.max()


@pytest.mark.parametrize("said", ["", "Cells", "<tool_call>\n", "Cells: what? ", "cells:"])
def test_elsewhere_nothing_is_added(said):
    assert not added(prior_of(asked(QUESTION)), ids(said)).any()


def test_a_line_that_no_other_begins_like_goes_on_freely():
    said = ids("Cells: revenue:")
    assert not added(prior_of(asked(QUESTION)), said).any()


def test_behind_so_many_tokens_lines_are_told_apart():
    names = [f"{'many words ' * 10}{end}" for end in ("one", "other")]
    page = Page("p", (), Table((("", "2016"), *((name, "1") for name in names))), ())
    messages = asked("what is the other?", page=page)
    tokens = ids(f"Cells: {names[0]}")
    head = len(ids("Cells:"))
    differ = next(
        place for place, pair in enumerate(zip(*map(ids, names), strict=False)) if len({*pair}) > 1
    )
    assert differ > TOKENS
    assert not added(prior_of(messages), tokens[: head + differ]).any()


def test_a_result_is_answered_freely():
    messages = [
        *asked(QUESTION),
        call("calculate", {"expression": "5829 - 5735"}),
        tool_result("calculate", "94"),
    ]
    assert not added(prior_of(messages), ids("Cells:")).any()


def test_a_conversation_without_a_page_is_answered_freely():
    assert not added(prior_of([{"role": "user", "content": "what?"}]), ids("Cells:")).any()


def test_lines_without_any_share_are_not_weighed(monkeypatch):
    monkeypatch.setattr(prior_module, "shares", lambda units, asked: np.zeros(len(units)))
    assert not added(prior_of(asked(QUESTION)), ids("Cells:")).any()


def test_a_long_sentence_may_be_quoted_from_any_word():
    long = " ".join(["words"] * 45 + ["before", "41"])
    page = Page("p", (f"{long} .",), Table((("", "2016"), ("revenue", "5829"))), ())
    shares = dict(likeliest(page, ["what came before?"]))
    scores = added(prior_of(asked("what came before?", page=page)), ids("Cells: text:"))
    assert scores[ids("text: before")[-1]] == 0.0 == scores[ids("text: words")[-1]]
    assert weight(asked("what came before?", page=page), "text: before") == pytest.approx(
        math.log(shares["text_0"]), abs=1e-4
    )


def test_a_wide_row_may_be_quoted_from_any_cell():
    years = [str(2016 - back) for back in range(10)]
    rows = (("", *years), ("dividends", *(f"0.{n}1" for n in range(10))), ("revenue", *["9"] * 10))
    scores = added(
        prior_of(asked("dividends?", page=Page("p", (), Table(rows), ()))), ids("Cells: dividends:")
    )
    first = {ids(f"dividends: {year}")[len(ids("dividends:"))] for year in years}
    assert all(scores[token] > math.log(UNLIKELY) for token in first) or len(first) == 1


ROW = "revenue: 2016 = 5829; 2015 = 5735"


@pytest.mark.parametrize("before", ["", "costs: 2016 = 4210; 2015 = 4305 -> 2015 = 4305 | "])
@pytest.mark.parametrize(
    ("questions", "likely"),
    [
        ([QUESTION], "2016 = 5829"),
        (["what was revenue in 2015?"], "2015 = 5735"),
        (["what was revenue in 2016?", "and in 2015?"], "2015 = 5735"),
    ],
)
def test_the_likeliest_cell_of_a_row_weighs_most(before, questions, likely):
    behind = f"Cells: {before}{ROW} ->"
    cells = ROW.partition(": ")[2].split("; ")
    weights = {cell: weight(asked(*questions), cell, behind) for cell in cells}
    assert max(weights, key=weights.__getitem__) == likely
    assert sum(map(math.exp, weights.values())) == pytest.approx(1.0, abs=2 * UNLIKELY)


def test_cells_under_the_same_header_share_alike():
    behind = "Cells: revenue: 2016 = 5829; 2016 = 47; 2015 = 5735 ->"
    same = [weight(asked(QUESTION), cell, behind) for cell in ("2016 = 5829", "2016 = 47")]
    assert same[0] == pytest.approx(same[1]) != 0.0


def test_what_is_picked_is_not_picked_again():
    behind = f"Cells: {ROW} -> 2016 = 5829;"
    assert weight(asked(QUESTION), "2015 = 5735", behind) == 0.0
    three = f"{ROW}; 2014 = 5610 -> 2016 = 5829;"
    left = [
        weight(asked(QUESTION), cell, f"Cells: {three}")
        for cell in ("2016 = 5829", "2015 = 5735", "2014 = 5610")
    ]
    assert left[0] < math.log(UNLIKELY) / 2 < min(left[1:])


@pytest.mark.parametrize("picked", [" 2016 = 5829", " 2016 = 5829\n", " what? ", " 2016 = 5829 |"])
def test_behind_a_pick_nothing_is_added(picked):
    assert not added(prior_of(asked(QUESTION)), ids(f"Cells: {ROW} ->{picked}")).any()


def test_a_cell_that_another_begins_with_may_be_all():
    row = "revenue: 2016 = 5; 2016 = 58; 2016 = 59"
    assert not added(prior_of(asked(QUESTION)), ids(f"Cells: {row} -> 2016 = 5")).any()


class Opening:
    """Makes replies begin with ``Cells:``, and forbids one token."""

    def __init__(self, forbidden):
        self.forbidden = forbidden
        self.end_id = CHAT.end_id

    def read(self, batch):
        pass

    def begin(self, row):
        return ids("Cells:")

    def accept(self, row, token):
        return []

    def adjust(self, row, scores):
        scores[self.forbidden] = float("-inf")


def test_what_a_constraint_forbids_stays_forbidden_and_what_it_dictates_counts():
    revenue = ids("Cells: revenue")[-1]
    prior = prior_of(asked(QUESTION), Opening(revenue))
    scores = added(prior, [])
    assert scores[revenue] == float("-inf")
    assert scores.max() > math.log(UNLIKELY)


def test_both_loops_write_the_same():
    """Own loop and transformers' ``generate``, two conversations of unlike length."""
    batch = [asked(QUESTION), asked("what were the costs?", "and in 2015?")]
    replies = []
    for plain in (True, False):
        prior = LinePrior(CHAT.tokenizer, CHAT.end_id, Opening(0))
        engine = TransformersEngine(tiny.llama(), CHAT, steering=prior)
        engine.plain = engine.reuse = plain
        replies.append([reply.text for reply in engine.generate(batch, 12)])
    assert replies[0] == replies[1]
    free = TransformersEngine(tiny.llama(), CHAT, steering=Opening(0)).generate(batch, 12)
    assert replies[0] != [reply.text for reply in free]
    assert replies[0][0].startswith("Cells: revenue")
    assert replies[0][1].startswith("Cells: c")


def test_a_quote_is_told_by_its_first_characters():
    assert len(ids("word " * 100)[: TOKENS + 1]) <= len(ids(("word " * 100)[:CHARS]))
