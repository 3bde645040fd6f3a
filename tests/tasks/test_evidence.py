from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import tiny
from crossfoot.errors import DataError
from crossfoot.grading.answer import Gold
from crossfoot.tasks.evidence import evidence_of, rebuilt
from crossfoot.tasks.finqa import read_finqa

PAGE = tiny.page()


def gold(program: str, *evidence: str) -> Gold:
    return Gold(1.0, program, "absolute", page=PAGE, evidence=evidence)


def test_named_evidence_is_taken_in_the_order_of_the_page() -> None:
    evidence = evidence_of(gold("add(1, 2)", "text_1", "table_1"))
    assert (evidence.units, evidence.source, evidence.kind) == (
        ("table_1", "text_1"),
        "given",
        "both",
    )


@pytest.mark.parametrize("unit", ["table_9", "text_3", "table_-1", "table_01", "page", "text_"])
def test_evidence_that_the_page_does_not_have_is_refused_in_one_line(unit: str) -> None:
    with pytest.raises(DataError, match=r"qa\.gold_inds: the page has no unit") as caught:
        evidence_of(gold("add(1, 2)", "table_1", unit))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("program", "units"),
    [
        ("subtract(5829, 5735), divide(#0, 5735)", ("table_1",)),
        ("subtract(5829, 121.1)", ("table_1", "text_1")),
        ("multiply(121.1, const_1000)", ("text_1",)),
        ("table_average(tax rate, none)", ("table_4",)),
        ("add(-26, 4305)", ("table_2", "table_3")),
        ("121.1", ("text_1",)),
    ],
)
def test_operands_that_stand_in_one_unit_are_evidence(program: str, units: tuple[str, ...]) -> None:
    evidence = evidence_of(gold(program))
    assert (evidence.units, evidence.source) == (units, "rebuilt")


@pytest.mark.parametrize(
    "program",
    ["add(const_1, const_2)", "add(7777, 8888)", "table_max(no row, none)", "add(1,", "x"],
)
def test_a_program_without_an_operand_on_the_page_has_no_evidence(program: str) -> None:
    evidence = evidence_of(gold(program))
    assert (evidence.units, evidence.source, evidence.kind) == ((), "none", "none")


def test_an_operand_in_two_units_leaves_the_evidence_open_unless_another_decides() -> None:
    page = replace(PAGE, after=(*PAGE.after, "the sale brought 5829 and 17.5 ."))
    undecided = Gold(1.0, "multiply(5829, const_2)", "absolute", page=page)
    assert rebuilt(undecided).source == "none"
    decided = replace(undecided, program="subtract(5829, 5735)")
    assert rebuilt(decided).units == ("table_1",)
    elsewhere = replace(undecided, program="subtract(5829, 17.5)")
    assert rebuilt(elsewhere).units == ("text_3",)
    other = replace(undecided, program="subtract(5829, 4210)")
    assert rebuilt(other).source == "none"


def test_a_gold_answer_without_a_page_has_no_evidence() -> None:
    assert evidence_of(Gold(3.0, "add(1, 2)", "absolute")).source == "none"


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("train", {"given": 936, "rebuilt": 2083, "none": 353}),
        ("dev", {"given": 862, "rebuilt": 21}),
    ],
)
def test_sources_of_evidence_in_the_shared_files(
    shared_data: Path, name: str, sources: dict[str, int]
) -> None:
    samples = read_finqa(shared_data / "finqa" / f"{name}.json")
    golds = [sample.turns[0].gold for sample in samples]
    assert Counter(evidence_of(one).source for one in golds if one) == sources


def test_rebuilt_evidence_agrees_with_what_dev_names(shared_data: Path) -> None:
    samples = read_finqa(shared_data / "finqa" / "dev.json")
    golds = [sample.turns[0].gold for sample in samples]
    named = [one for one in golds if one and one.evidence]
    pairs = [(set(rebuilt(one).units), set(one.evidence)) for one in named]
    found = [(own, given) for own, given in pairs if own]
    assert len(found) == 752
    assert sum(own <= given for own, given in found) == 739
