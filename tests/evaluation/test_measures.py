"""Measures that have nothing to count in some turns, and groups."""

import pytest

import tiny
from crossfoot.evaluation.measures import grouped, measures
from crossfoot.grading.answer import Gold, Submission

GOLD = Gold(5829.0, "5829", "absolute", page=tiny.page())


@pytest.mark.parametrize(("official", "valid"), [("official", False), ("official_convfinqa", True)])
def test_a_program_of_one_number_is_one_by_the_rule_of_convfinqa_alone(official, valid):
    counted = measures(official, convfinqa=True)
    assert counted["program_validity"](Submission(program=("5829", "EOF")), GOLD) is valid
    assert counted["program_validity"](Submission(), GOLD) is False


def test_without_an_answer_string_or_numbers_of_the_page_there_is_nothing_to_count():
    counted = measures("official", convfinqa=True)
    assert counted["answer_accuracy"](Submission(), GOLD) is None
    constant = Gold(2.0, "add(const_1, const_1)", "absolute", page=tiny.page())
    assert counted["operands_named"](Submission(), constant) is None
    assert counted["operands_named"](Submission(), GOLD) is False


def test_an_item_stands_under_each_of_its_keys():
    assert grouped([1, 2, 3], [{"b"}, {"a", "b"}, set()]) == {"a": [2], "b": [1, 2]}
