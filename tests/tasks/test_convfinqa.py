from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import filings
from crossfoot.errors import DataError
from crossfoot.tasks.convfinqa import read_convfinqa
from crossfoot.tasks.records import SkippedRecords


def test_official_record_becomes_a_conversation(tmp_path: Path) -> None:
    (sample,) = read_convfinqa(filings.write(tmp_path / "a.json", [filings.convfinqa_record()]))
    golds = [turn.gold for turn in sample.turns]
    assert sample.sample_id == "Single_OURS/2016/page_1.pdf-1"
    assert [turn.question for turn in sample.turns][1] == "and in percent more than in 2015?"
    assert [gold.answer for gold in golds if gold] == [5829.0, 0.01639, "yes"]
    assert [gold.unit for gold in golds if gold] == ["absolute", "fraction", "yes_no"]
    assert all(gold is not None and gold.page is sample.page for gold in golds)


def test_record_without_official_extras_is_the_same_sample(tmp_path: Path) -> None:
    record = filings.convfinqa_record()
    kept = ("id", "filename", "pre_text", "post_text", "table")
    labels = ("dialogue_break", "turn_program", "exe_ans_list")
    plain = {key: record[key] for key in kept}
    plain["annotation"] = {key: record["annotation"][key] for key in labels}
    plain["provenance"] = {"context": "raw", "turns": None}
    full, bare = read_convfinqa(filings.write(tmp_path / "a.json", [record, plain]))
    assert full == bare


def test_turn_without_answer_has_no_gold(tmp_path: Path) -> None:
    record = filings.convfinqa_record(exe_ans_list=[5829, None, ""])
    (sample,) = read_convfinqa(filings.write(tmp_path / "a.json", [record]))
    assert [turn.gold is None for turn in sample.turns] == [False, True, True]


@pytest.mark.parametrize(
    ("key", "value", "field", "said"),
    [
        ("turn_program", ["5829"], "annotation", "turn_program has 1 entries for 3 questions"),
        ("exe_ans_list", [1.0], "annotation", "exe_ans_list has 1 entries for 3 questions"),
        ("qa_split", [0], "annotation", "qa_split has 1 entries for 3 questions"),
        ("dialogue_break", [], "annotation.dialogue_break", "at least 1 item"),
        ("dialogue_break", ["a", "", "c"], "annotation.dialogue_break[1]", "is empty"),
        ("turn_program", ["1", 2, "3"], "annotation.turn_program[1]", "valid string"),
        ("exe_ans_list", [1, 2, "x"], "annotation.exe_ans_list[2]", "a number, yes or no"),
        ("exe_ans_list", "123", "annotation.exe_ans_list", "valid list"),
    ],
)
def test_wrong_field_is_named(
    tmp_path: Path, key: str, value: object, field: str, said: str
) -> None:
    record = filings.convfinqa_record(**{key: value})
    path = filings.write(tmp_path / "train.json", [record])
    with pytest.raises(DataError, match=said) as caught:
        read_convfinqa(path)
    assert caught.value.field == field
    assert caught.value.record == "Single_OURS/2016/page_1.pdf-1"
    assert caught.value.file == path


def test_finqa_file_is_refused_by_the_field_it_lacks(tmp_path: Path) -> None:
    path = filings.write(tmp_path / "dev.json", [filings.finqa_record()])
    with pytest.raises(DataError, match="field annotation: field required"):
        read_convfinqa(path)


def test_bad_conversations_are_skipped_on_request(tmp_path: Path) -> None:
    records = [filings.convfinqa_record(1), filings.convfinqa_record(2, turn_program=[])]
    path = filings.write(tmp_path / "dev.json", records)
    with pytest.warns(SkippedRecords, match="1 of 2 records skipped"):
        samples = read_convfinqa(path, skip_bad=True)
    assert len(samples) == 1


def test_long_id_is_cut_in_the_message(tmp_path: Path) -> None:
    record = filings.convfinqa_record() | {"id": "x" * 100_000, "table": None}
    with pytest.raises(DataError) as caught:
        read_convfinqa(filings.write(tmp_path / "dev.json", [record]))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("name", "conversations", "turns"),
    [("train", 709, 2595), ("train_partial", 130, 496), ("dev", 421, 1490)],
)
def test_shared_files_are_read_whole_and_in_order(
    shared_data: Path, name: str, conversations: int, turns: int
) -> None:
    path = shared_data / "convfinqa" / f"{name}.json"
    samples = read_convfinqa(path)
    assert [s.sample_id for s in samples] == [r["id"] for r in json.loads(path.read_text("utf-8"))]
    assert len(samples) == conversations
    assert sum(len(sample.turns) for sample in samples) == turns


def test_a_change_of_units_is_seen_before_adapters_are_trained_on_them(
    shared_data: Path,
) -> None:
    samples = read_convfinqa(shared_data / "convfinqa" / "train.json")
    lines = [
        f"{sample.sample_id} {place} {turn.gold.unit if turn.gold else None}"
        for sample in samples
        for place, turn in enumerate(sample.turns)
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert digest == "465836211f763bca3e7c6ffca0402b54ead8de9e29862c97dc9535d0884a6cee"
