"""Synthetic pages: repeatable, correctly labelled, varied, and hard to read by luck."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from crossfoot.arithmetic.program import execute_official, tokenize
from crossfoot.grading.answer import UNITS, Gold
from crossfoot.pages.table import clean_cell
from crossfoot.targets.conversation import conversation_messages, turn_messages
from crossfoot.tasks.base import Sample
from crossfoot.tasks.convfinqa import read_convfinqa
from crossfoot.tasks.synthetic import generate, to_record, wordlists
from crossfoot.tasks.synthetic.numbers import cell, near, spoken
from crossfoot.tasks.synthetic.wording import finish, is_plural, may_be_confused
from crossfoot.tasks.synthetic.wordlists import line_of, lines, sections, topics

OPERATIONS = (
    "add",
    "subtract",
    "multiply",
    "divide",
    "exp",
    "greater",
    "table_max",
    "table_min",
    "table_sum",
    "table_average",
)
CONSTANTS = ("const_1", "const_2", "const_3", "const_100", "const_1000", "const_1000000")
_STEP = re.compile(r"([a-z_]+)\(")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return generate(500, seed=0)


def golds(samples: list[Sample]) -> list[tuple[Sample, str, Gold]]:
    return [
        (sample, turn.question, turn.gold)
        for sample in samples
        for turn in sample.turns
        if turn.gold is not None
    ]


def literals(program: str) -> list[str]:
    """The numbers of a program that must stand on the page."""
    if "(" not in program:
        return [program]
    found = []
    for step in program.split("), "):
        name, _, inside = step.rstrip(")").partition("(")
        arguments = [] if name.startswith("table_") else inside.split(", ")
        found += [text for text in arguments if not text.startswith(("#", "const_"))]
    return found


def page_numbers(sample: Sample) -> set[str]:
    """Clean cells, and every number that the sentences print."""
    page = sample.page
    texts = {clean_cell(text) for row in page.table.rows for text in row[1:]}
    for sentence in (*page.before, *page.after):
        texts |= set(re.findall(r"-?\d+(?:\.\d+)?%?", sentence))
    return texts


def test_same_seed_gives_same_samples() -> None:
    assert generate(20, seed=3) == generate(20, seed=3)


def test_other_seed_gives_other_pages() -> None:
    assert [s.page.table for s in generate(10, seed=3)] != [s.page.table for s in generate(10, 4)]


def test_shorter_run_is_a_prefix_of_a_longer_one(samples: list[Sample]) -> None:
    assert generate(17, seed=0) == samples[:17]


def test_no_samples_are_generated_for_count_zero() -> None:
    assert generate(0, seed=0) == []


def test_ids_name_seed_and_number(samples: list[Sample]) -> None:
    assert [sample.sample_id for sample in samples[:3]] == ["synth/0/0", "synth/0/1", "synth/0/2"]
    assert len({sample.page.page_id for sample in samples}) == len(samples)


def test_conversations_have_two_to_six_labelled_turns(samples: list[Sample]) -> None:
    assert {len(sample.turns) for sample in samples} == {2, 3, 4, 5, 6}
    assert len(golds(samples)) == sum(len(sample.turns) for sample in samples)


def test_every_program_executes_to_its_answer_by_the_official_rule(samples: list[Sample]) -> None:
    for sample, question, gold in golds(samples):
        executed = execute_official(tokenize(gold.program), sample.page.table, convfinqa=True)
        assert executed == (True, gold.answer), (sample.sample_id, question)


def test_every_literal_stands_on_the_page(samples: list[Sample]) -> None:
    for sample, question, gold in golds(samples):
        missing = set(literals(gold.program)) - page_numbers(sample)
        assert not missing, (sample.sample_id, question, missing)


def test_table_programs_name_a_row_of_the_table(samples: list[Sample]) -> None:
    named = []
    for sample, _, gold in golds(samples):
        for header in re.findall(r"table_[a-z]+\((.*?), none\)", gold.program):
            headers = [row[0] for row in sample.page.table.rows]
            assert headers.count(header) == 1
            named.append(header)
    assert named


def test_every_operation_and_constant_occurs(samples: list[Sample]) -> None:
    programs = [gold.program for _, _, gold in golds(samples[:300])]
    operations = Counter(name for program in programs for name in _STEP.findall(program))
    assert set(operations) == set(OPERATIONS)
    for constant in CONSTANTS:
        assert any(re.search(rf"\b{constant}\b", program) for program in programs), constant


def test_every_unit_occurs(samples: list[Sample]) -> None:
    assert {gold.unit for _, _, gold in golds(samples[:300])} == set(UNITS)


def test_both_yes_and_no_occur(samples: list[Sample]) -> None:
    answers = {gold.answer for _, _, gold in golds(samples[:300]) if gold.unit == "yes_no"}
    assert answers == {"yes", "no"}


def test_both_signs_occur_looked_up_and_computed(samples: list[Sample]) -> None:
    found = {
        ("(" in gold.program, gold.answer > 0)
        for _, _, gold in golds(samples[:300])
        if isinstance(gold.answer, float)
    }
    assert found == {(False, False), (False, True), (True, False), (True, True)}


@pytest.mark.parametrize("scale", ["thousands", "millions", "billions"])
def test_every_scale_caption_occurs(samples: list[Sample], scale: str) -> None:
    captions = [sample.page.table.rows[0][0] for sample in samples[:300]]
    assert any(scale in caption for caption in captions)


def test_steps_are_spread_as_in_the_real_training_file(samples: list[Sample]) -> None:
    steps = Counter(len(_STEP.findall(gold.program)) for _, _, gold in golds(samples))
    assert 0.32 < steps[0] / steps.total() < 0.40
    assert 0.30 < steps[1] / steps.total() < 0.40
    assert 0.20 < steps[2] / steps.total() < 0.28
    assert {3, 4, 5} <= set(steps)


def test_targets_can_be_built_for_every_turn(samples: list[Sample]) -> None:
    for sample in samples:
        for turn in sample.turns:
            assert turn_messages(turn)[-1]["role"] == "assistant"
    messages = conversation_messages(samples[0], "short")
    assert sum(message["role"] == "user" for message in messages) == len(samples[0].turns)


def test_first_questions_do_not_refer_back(samples: list[Sample]) -> None:
    for sample in samples:
        first = sample.turns[0].question
        assert not re.match(r"and |so |what about |how about |what of |.*, then,", first), first


def test_pages_hold_numbers_that_nobody_asks_for(samples: list[Sample]) -> None:
    for sample in samples:
        asked = {text for _, _, gold in golds([sample]) for text in literals(gold.program)}
        assert len(page_numbers(sample) - asked) >= 3, sample.sample_id


def test_evidence_is_in_tables_and_in_sentences(samples: list[Sample]) -> None:
    places = Counter()
    for sample, _, gold in golds(samples):
        cells = {clean_cell(text) for row in sample.page.table.rows for text in row[1:]}
        numbers = set(literals(gold.program))
        if numbers:
            in_table = len(numbers & cells)
            places["table" if in_table == len(numbers) else "mixed" if in_table else "text"] += 1
    assert places["table"] > places["text"] > places["mixed"] > 10


def test_follow_ups_that_name_no_line_are_common(samples: list[Sample]) -> None:
    short = [
        turn.question
        for sample in samples
        for turn in sample.turns[1:]
        if len(turn.question.split()) <= 6
    ]
    assert len(short) > len(samples) / 2
    assert any(question.startswith("and in ") for question in short)
    assert any(question == "what is the percent change?" for question in short)


def test_conversations_do_not_repeat(samples: list[Sample]) -> None:
    talks = [tuple(turn.question for turn in sample.turns) for sample in samples]
    assert len(set(talks)) > 0.99 * len(talks)
    assert len({sample.page.table for sample in samples}) == len(samples)


def test_questions_are_worded_in_many_ways(samples: list[Sample]) -> None:
    openings = Counter(" ".join(question.split()[:4]) for _, question, _ in golds(samples))
    assert len(openings) > 300
    assert max(openings.values()) < 0.08 * openings.total()


def test_sentences_hold_numbers_that_nearly_equal_those_of_the_table(samples: list[Sample]) -> None:
    close = 0
    for sample in samples:
        cells = {clean_cell(text) for row in sample.page.table.rows for text in row[1:]}
        text = " ".join((*sample.page.before, *sample.page.after))
        close += any(
            len(number) == len(shown)
            and sum(a != b for a, b in zip(number, shown, strict=True)) in (1, 2)
            for number in re.findall(r"\d{3,}(?:\.\d+)?", text)
            for shown in cells
        )
    assert close > 0.2 * len(samples)


def test_most_tables_have_several_rows_and_years(samples: list[Sample]) -> None:
    tables = [sample.page.table.rows for sample in samples]
    assert all(len({len(row) for row in table}) == 1 for table in tables)
    assert sum(len(table) >= 4 and len(table[0]) >= 3 for table in tables) > 0.6 * len(tables)


def test_text_is_lower_case_ascii_with_single_spaces(samples: list[Sample]) -> None:
    for sample in samples:
        page = sample.page
        texts = [*page.before, *page.after, *(text for row in page.table.rows for text in row)]
        for text in [*texts, *(turn.question for turn in sample.turns)]:
            assert text.isascii()
            assert text == text.lower()
            assert "  " not in text
            assert "{" not in text


def test_pages_are_short_with_a_tail(samples: list[Sample]) -> None:
    sizes = sorted(sum(map(len, (*s.page.before, *s.page.after))) for s in samples)
    assert 500 < sum(sizes) / len(sizes) < 1_400
    assert sizes[-1] > 2_500


def test_no_question_repeats_a_word(samples: list[Sample]) -> None:
    for _, question, _ in golds(samples):
        assert not re.search(r"\b([a-z]+) \1\b", question), question


def test_question_never_gives_its_answer_away(samples: list[Sample]) -> None:
    for sample, question, gold in golds(samples):
        if "(" not in gold.program:
            assert gold.program not in question.split(), (sample.sample_id, question)


def test_records_are_read_back_as_equal_samples(samples: list[Sample], tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([to_record(sample) for sample in samples[:100]]), "utf-8")
    assert read_convfinqa(path) == samples[:100]


def test_negative_cell_is_printed_twice_and_cleans_to_its_literal() -> None:
    assert cell("-26", "money", dollar=True) == "$ -26 ( 26 )"
    assert clean_cell(cell("-26", "money", dollar=True)) == "-26"


def test_percentage_is_printed_twice_and_cleans_to_its_literal() -> None:
    assert cell("27.0%", "percent", dollar=True) == "27.0% ( 27.0 % )"
    assert clean_cell(cell("27.0%", "percent", dollar=False)) == "27.0%"


def test_sentences_say_money_with_its_scale() -> None:
    assert spoken("5.2", "money", "millions") == "$ 5.2 million"
    assert spoken("5.2", "price", "millions") == "$ 5.2"
    assert spoken("3%", "percent", "millions") == "3% ( 3 % )"


def test_near_literal_keeps_length_and_first_digit() -> None:
    from random import Random

    for seed in range(50):
        literal = near("4871.5", Random(seed))
        assert literal[0] == "4"
        assert len(literal) == 6
        float(literal)


def test_doubled_words_are_removed_from_questions() -> None:
    assert finish("what was the total total debt ?") == "what was the total debt?"
    assert finish("what is the value of the value of land?") == "what is the value of land?"


def test_lines_that_share_a_name_may_be_confused() -> None:
    assert may_be_confused(line_of("effective tax rate ; percent"), line_of("effective tax rates"))
    assert not may_be_confused(line_of("land"), line_of("goodwill"))


def test_plural_lines_are_told_from_singular_ones() -> None:
    assert is_plural("costs of sales")
    assert is_plural("restructuring charges")
    assert not is_plural("cost of sales")
    assert not is_plural("expected return on plan assets")
    assert not is_plural("goodwill")


def test_line_entries_have_names_kind_and_sign() -> None:
    line = line_of("settlements|the settlements ; money signed")
    assert line.header == "settlements"
    assert line.names == ("settlements", "the settlements")
    assert (line.kind, line.signed) == ("money", True)


def test_word_files_are_complete() -> None:
    assert len(topics()) > 10
    assert all(topic.intros and len(topic.lines) >= 6 for topic in topics())
    assert {"acquired", "bridge", "commitments"} <= set(sections("lines"))
    assert lines("acquired")[0].kind == "money"
    assert all(len(entries) > 1 for entries in sections("questions").values())


def test_every_section_of_questions_is_asked() -> None:
    folder = Path(str(wordlists.__file__)).parent
    code = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    made = {"table max", "table min", "table sum", "table average"}
    made |= {
        f"lines {op} {form}"
        for op in ("add", "subtract", "divide", "greater")
        for form in ("now", "full")
    }
    unused = {title for title in sections("questions") if f'"{title}"' not in code} - made
    assert not unused
