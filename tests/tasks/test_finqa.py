from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import filings
from crossfoot.errors import DataError
from crossfoot.tasks.finqa import read_finqa
from crossfoot.tasks.records import SkippedRecords


def test_record_becomes_a_conversation_of_one_turn(tmp_path: Path) -> None:
    (sample,) = read_finqa(filings.write(tmp_path / "dev.json", [filings.finqa_record()]))
    (turn,) = sample.turns
    assert sample.sample_id == "OURS/2016/page_1.pdf-1"
    assert sample.page.page_id == "OURS/2016/page_1.pdf"
    assert sample.page.table.rows[1] == ("revenue", "$ 5829", "$ 5735")
    assert turn.question == "what was the growth rate of revenue?"
    assert turn.gold is not None
    assert (turn.gold.answer, turn.gold.unit, turn.gold.text) == (0.01639, "fraction", "1.6%")
    assert turn.gold.program == "subtract(5829, 5735), divide(#0, 5735)"
    assert turn.gold.page is sample.page


@pytest.mark.parametrize("answer", [None, "", "n/a"])
def test_question_without_executed_answer_has_no_gold(tmp_path: Path, answer: object) -> None:
    record = filings.finqa_record(exe_ans=answer)
    (sample,) = read_finqa(filings.write(tmp_path / "dev.json", [record]))
    assert sample.turns[0].gold is None


def test_question_without_the_key_exe_ans_has_no_gold(tmp_path: Path) -> None:
    record = filings.finqa_record()
    del record["qa"]["exe_ans"]
    (sample,) = read_finqa(filings.write(tmp_path / "dev.json", [record]))
    assert sample.turns[0].gold is None


def test_yes_and_whole_numbers_are_answers(tmp_path: Path) -> None:
    records = [
        filings.finqa_record(1, exe_ans="yes", program="greater(5829, 5735)"),
        filings.finqa_record(2, exe_ans=94, program="subtract(5829, 5735)"),
    ]
    samples = read_finqa(filings.write(tmp_path / "dev.json", records))
    golds = [sample.turns[0].gold for sample in samples]
    assert [gold.answer for gold in golds if gold] == ["yes", 94.0]
    assert isinstance(golds[1].answer if golds[1] else None, float)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qa.question", " "),
        ("qa.question", 7),
        ("qa.program", ""),
        ("qa.exe_ans", "perhaps"),
        ("qa.exe_ans", True),
        ("qa.exe_ans", float("nan")),
        ("qa.exe_ans", 10**400),
        ("qa.exe_ans", [1.0]),
        ("table", []),
        ("table", [[" "]]),
        ("table[0]", "revenue"),
        ("table[1][2]", 5735),
        ("pre_text", "one string"),
        ("filename", ""),
        ("id", 3),
    ],
)
def test_wrong_field_is_named_with_file_and_record(
    tmp_path: Path, field: str, value: object
) -> None:
    record = filings.finqa_record()
    place: Any = record
    *path, last = field.replace("[", ".").replace("]", "").split(".")
    for key in path:
        place = place[int(key) if key.isdecimal() else key]
    place[int(last) if last.isdecimal() else last] = value
    path_on_disk = filings.write(tmp_path / "dev.json", [filings.finqa_record(0), record])
    with pytest.raises(DataError) as caught:
        read_finqa(path_on_disk)
    named = "number 1" if field == "id" else "OURS/2016/page_1.pdf-1"
    assert str(caught.value).startswith(f"{path_on_disk}, record {named}, field {field}: ")
    assert str(caught.value).endswith("--skip-bad")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["table", "qa", "pre_text", "post_text", "filename", "id"])
def test_missing_field_is_named(tmp_path: Path, field: str) -> None:
    record = filings.finqa_record()
    del record[field]
    with pytest.raises(DataError, match=f"field {field}: field required"):
        read_finqa(filings.write(tmp_path / "dev.json", [record]))


def test_bad_records_are_skipped_and_counted_on_request(tmp_path: Path) -> None:
    bad = [filings.finqa_record(question=""), 3, filings.finqa_record(program=None)]
    path = filings.write(tmp_path / "dev.json", [*bad, filings.finqa_record(9)])
    with pytest.warns(SkippedRecords, match="3 of 4 records skipped.*field qa.question"):
        samples = read_finqa(path, skip_bad=True)
    assert [sample.sample_id for sample in samples] == ["OURS/2016/page_1.pdf-9"]


def test_file_of_bad_records_only_is_an_error_even_where_they_may_be_skipped(
    tmp_path: Path,
) -> None:
    path = filings.write(tmp_path / "dev.json", [filings.finqa_record(question="")])
    with pytest.raises(DataError, match=r"field qa\.question: is empty"):
        read_finqa(path, skip_bad=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'[{"id": "a", ', "not valid JSON"),
        (b"", "not valid JSON"),
        (b"\x93NUMPY\xff\xfe\x00", "is not a text file"),
        (b'{"id": "a"}', "not a list of records"),
        (b"[]", "holds no record"),
        (b"[" * 200_000, "not valid JSON"),
        (b"[" + b"9" * 5000 + b"]", "not valid JSON"),
    ],
)
def test_unreadable_file_is_one_line_with_advice(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "dev.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        read_finqa(path)
    assert str(caught.value).startswith(str(path))
    assert caught.value.advice
    assert len(str(caught.value)) < 400


def test_missing_file_and_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_finqa(tmp_path / "absent.json")
    with pytest.raises(DataError, match="is a folder"):
        read_finqa(tmp_path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "qa", "table", "filename"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.lists(_JSON, min_size=1, max_size=3))
def test_any_json_is_read_or_refused_with_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, records: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    with pytest.raises(DataError):
        read_finqa(path)


def test_shared_files_are_read_whole(shared_data: Path) -> None:
    counts = {"train": (3375, 3), "train_partial": (736, 0), "dev": (883, 0)}
    for name, (questions, unlabelled) in counts.items():
        samples = read_finqa(shared_data / "finqa" / f"{name}.json")
        assert len(samples) == questions
        assert sum(sample.turns[0].gold is None for sample in samples) == unlabelled
