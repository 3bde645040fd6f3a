from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from crossfoot.errors import DataError, RecipeError
from crossfoot.grading.answer import Gold
from crossfoot.pages.markdown import render_page
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.pages.units import is_text, unit_names
from crossfoot.targets.context import ContextOptions, choose_context
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.finqa import read_finqa

NOISY = ContextOptions("noisy_gold")


def question(
    number: int = 0, evidence: tuple[str, ...] = ("table_1", "text_0"), size: int = 6
) -> Sample:
    rows = [("in millions", "2016", "2015")]
    rows += [(f"line {n}", str(100 + n), str(200 + n)) for n in range(size)]
    texts = tuple(f"sentence {n} speaks of {300 + n} ." for n in range(size))
    page = Page(f"p{number}", texts, Table(tuple(rows)), texts)
    gold = Gold(1.0, "add(100, 200)", "absolute", page=page, evidence=evidence)
    return Sample(f"q-{number}", page, (Turn("what is the sum of line 0?", gold),))


def test_gold_shows_the_evidence_and_the_header_of_its_table() -> None:
    context = choose_context(question(), ContextOptions("gold"))
    assert context.units == ("text_0", "table_0", "table_1")
    assert context.page.table.rows[1:] == (("line 0", "100", "200"),)
    assert context.recall == 1.0


def test_all_shows_everything() -> None:
    sample = question()
    context = choose_context(sample, ContextOptions("all"))
    assert context.page is sample.page
    assert context.units == unit_names(sample.page)


@pytest.mark.parametrize("name", ["gold", "noisy_gold"])
def test_a_question_without_evidence_has_no_such_context(name: str) -> None:
    sample = question(evidence=())
    lost = replace(sample.turns[0], gold=replace(sample.turns[0].gold, program="add(7, 8)"))  # type: ignore[type-var]
    with pytest.raises(DataError, match="record q-0: neither names its evidence"):
        choose_context(replace(sample, turns=(lost,)), ContextOptions(name))  # type: ignore[arg-type]


@given(st.integers(0, 12), st.integers(0, 12), st.integers(), st.integers(0, 1000))
def test_noise_is_all_the_evidence_and_as_many_distractors_as_there_are(
    texts: int, rows: int, seed: int, number: int
) -> None:
    sample = question(number)
    context = choose_context(sample, ContextOptions("noisy_gold", texts, rows, seed))
    assert {"table_1", "text_0"} <= set(context.units)
    others = set(context.units) - {"table_0", "table_1", "text_0"}
    assert sum(is_text(unit) for unit in others) == min(texts, 11)
    assert sum(not is_text(unit) for unit in others) == min(rows, 5)
    assert context.missing_distractors == max(0, texts - 11) + max(0, rows - 5)
    assert context.units == tuple(sorted(context.units, key=unit_names(sample.page).index))
    assert context == choose_context(
        question(number), ContextOptions("noisy_gold", texts, rows, seed)
    )


@given(st.permutations(range(8)), st.integers())
def test_another_order_of_the_data_changes_no_context(order: list[int], seed: int) -> None:
    options = replace(NOISY, seed=seed)
    straight = {f"q-{n}": choose_context(question(n), options).units for n in range(8)}
    turned = [question(number) for number in order]
    assert {one.sample_id: choose_context(one, options).units for one in turned} == straight


def test_more_distractors_keep_the_fewer() -> None:
    few = choose_context(question(), ContextOptions("noisy_gold", 1, 1))
    many = choose_context(question(), ContextOptions("noisy_gold", 5, 4))
    assert set(few.units) < set(many.units)


def test_ids_and_seeds_choose_other_distractors() -> None:
    by_id = {choose_context(question(n), NOISY).units for n in range(10)}
    by_seed = {choose_context(question(), replace(NOISY, seed=seed)).units for seed in range(10)}
    assert len(by_id) > 5
    assert len(by_seed) > 5


def test_no_distractor_is_empty() -> None:
    sample = question()
    page = replace(sample.page, before=(sample.page.before[0], ".", " ", "-"))
    gold = replace(sample.turns[0].gold, page=page)  # type: ignore[type-var]
    emptied = Sample("q", page, (replace(sample.turns[0], gold=gold),))
    context = choose_context(emptied, ContextOptions("noisy_gold", 99, 99))
    assert not {"text_1", "text_2", "text_3"} & set(context.units)


def test_retrieval_keeps_to_its_budget_and_says_what_it_lost() -> None:
    context = choose_context(question(), ContextOptions("retrieved", budget=1))
    assert context.units == ("table_0", "table_1")
    assert context.recall == 0.5
    assert choose_context(question(), ContextOptions("retrieved", budget=100)).recall == 1.0


def test_retrieval_without_evidence_has_no_recall() -> None:
    sample = tiny.sample()
    unlabelled = Sample("u", sample.page, (Turn("what was the revenue?"),))
    context = choose_context(unlabelled, ContextOptions("retrieved"))
    assert context.recall is None
    assert "revenue" in render_page(context.page)


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": "golden"},
        {"text_distractors": -1},
        {"table_distractors": -1},
        {"budget": 0},
    ],
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        ContextOptions(**wrong)  # type: ignore[arg-type]


def test_evidence_that_does_not_exist_is_named_with_its_record() -> None:
    with pytest.raises(DataError, match=r"record q-0, field qa\.gold_inds: .*table_77"):
        choose_context(question(evidence=("table_77",)), ContextOptions("all"))


def test_contexts_of_the_shared_dev_file(shared_data: Path) -> None:
    for sample in read_finqa(shared_data / "finqa" / "dev.json")[:200]:
        noisy = choose_context(sample, NOISY)
        assert set(noisy.evidence.units) <= set(noisy.units)
        assert noisy.recall == 1.0
        assert choose_context(sample, ContextOptions("gold")).recall == 1.0
        whole = choose_context(sample, ContextOptions("all"))
        assert render_page(whole.page) == render_page(sample.page)
