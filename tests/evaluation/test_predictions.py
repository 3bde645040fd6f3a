"""Predictions files of all three formats against gold files of all three layouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossfoot.arithmetic.program import tokenize
from crossfoot.errors import DataError
from crossfoot.evaluation.gold import GoldSet, read_gold
from crossfoot.evaluation.matrix import Matrix, score
from crossfoot.evaluation.predictions import Prediction, match, read_predictions

TABLE = [["", "2016", "2015"], ["revenue", "$ 10,000", "8,000"], ["debt", "4918.1", "3949.1"]]
PAGE: dict[str, Any] = {"pre_text": ["in millions"], "table": TABLE, "post_text": ["note"]}
DIALOGUE = ["what was revenue in 2016?", "and what was the change over the year?"]
PROGRAMS = ["10000", "subtract(10000, 8000)"]


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
def finqa(tmp_path: Path) -> GoldSet:
    records = [
        {
            **PAGE,
            "id": f"T/2016/page_{number}.pdf-1",
            "filename": f"T/2016/page_{number}.pdf",
            "qa": {
                "question": "what was the change in revenue?",
                "program": "subtract(10000, 8000)",
                "exe_ans": 2000.0,
                "answer": "2000",
                "gold_inds": {},
            },
        }
        for number in range(4)
    ]
    return read_gold(write(tmp_path / "gold.json", records))


@pytest.fixture
def convfinqa(tmp_path: Path) -> GoldSet:
    annotation = {
        "dialogue_break": DIALOGUE,
        "turn_program": PROGRAMS,
        "exe_ans_list": [10000.0, 2000.0],
        "qa_split": [0, 0],
    }
    record = {
        **PAGE,
        "id": "Single_T/2016/page_1.pdf-1",
        "filename": "T/2016/page_1.pdf",
        "annotation": annotation,
    }
    return read_gold(write(tmp_path / "gold.json", [record]))


@pytest.fixture
def turn_level(tmp_path: Path) -> GoldSet:
    records = [
        {
            **PAGE,
            "id": f"Single_T/2016/page_1.pdf-1_{turn}",
            "filename": "T/2016/page_1.pdf",
            "annotation": {
                "cur_program": PROGRAMS[turn],
                "exe_ans": [10000.0, 2000.0][turn],
                "cur_dial": DIALOGUE[: turn + 1],
                "turn_ind": turn,
            },
        }
        for turn in range(2)
    ]
    return read_gold(write(tmp_path / "dev_turn.json", records))


def ours(turn: int, value: float | str | None, **more: Any) -> dict[str, Any]:
    answer = None if value is None else {"value": value, "unit": "absolute", "text": str(value)}
    page = "T/2016/page_1.pdf"
    return {"id": f"Single_{page}-1", "page": page, "turn": turn, "answer": answer, **more}


def write_lines(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def official_convfinqa(*programs: str) -> dict[str, Any]:
    return {
        f"key {turn}": [
            {
                "id": f"Single_T/2016/page_1.pdf-1_{turn}",
                "pred_prog": list(tokenize(program)),
                "ref_prog": list(tokenize(PROGRAMS[turn])),
            }
        ]
        for turn, program in enumerate(programs)
    }


def graded(path: Path, gold: GoldSet) -> Matrix:
    return score(match(path, gold), gold)


def test_our_predictions_are_graded_turn_by_turn(tmp_path: Path, convfinqa: GoldSet) -> None:
    second = ours(1, 2000.0, expressions=["10000 - 8000"])
    matrix = graded(write_lines(tmp_path / "p.jsonl", ours(0, 8000.0), second), convfinqa)
    assert matrix.graders["official"].correct == 1
    assert matrix.program_accuracy.correct == 1
    assert matrix.unit_accuracy is not None
    assert matrix.errors == {"wrong_cell": 1}
    assert matrix.quirks is None


def test_missing_and_unanswered_turns_stay_in_the_denominator(
    tmp_path: Path, convfinqa: GoldSet
) -> None:
    matrix = graded(write_lines(tmp_path / "p.jsonl", ours(0, 10000.0)), convfinqa)
    assert (matrix.missing, matrix.without_answer, matrix.submitted) == (1, 0, 1)
    matrix = graded(write_lines(tmp_path / "p.jsonl", ours(0, 10000.0), ours(1, None)), convfinqa)
    assert (matrix.missing, matrix.without_answer, matrix.submitted) == (0, 1, 1)
    official = matrix.graders["official"]
    assert (official.accuracy, official.total) == (0.5, 2)
    assert (official.submitted_accuracy, official.submitted_total) == (1.0, 1)


def test_official_finqa_list_is_read(tmp_path: Path, finqa: GoldSet) -> None:
    names = [f"T/2016/page_{number}.pdf-1" for number in range(3)]
    programs = ["subtract(10000, 8000)", "subtract(8000, 10000)", "multiply(2, 1000)"]
    predictions = [
        {"id": name, "predicted": list(tokenize(program))}
        for name, program in zip(names, programs, strict=True)
    ]
    matrix = graded(write(tmp_path / "p.json", predictions), finqa)
    assert matrix.graders["official"].correct == 2
    assert matrix.graders["sign_blind"].correct == 3
    assert matrix.graders["official"].submitted_accuracy == pytest.approx(2 / 3)
    assert matrix.program_accuracy.correct == 1
    assert matrix.unit_accuracy is None
    assert matrix.errors == {"no_answer": 1, "wrong_sign": 1}


def test_program_that_crashes_the_official_script_is_named(tmp_path: Path, finqa: GoldSet) -> None:
    name = "T/2016/page_0.pdf-1"
    program = "subtract(8000, 8000), divide(8000, #0), subtract(10000, 8000)"
    path = write(tmp_path / "p.json", [{"id": name, "predicted": list(tokenize(program))}])
    matrix = graded(path, finqa)
    assert matrix.quirks is not None
    assert matrix.quirks.script_crashes == (name,)
    assert matrix.program_accuracy.correct == 0


def test_programs_without_eof_and_empty_ones_are_counted(tmp_path: Path, finqa: GoldSet) -> None:
    predictions = [
        {"id": "T/2016/page_0.pdf-1", "predicted": ["subtract(", "10000", "8000", ")"]},
        {"id": "T/2016/page_1.pdf-1", "predicted": []},
        {"id": "T/2016/page_2.pdf-1", "predicted": list(tokenize("table_max(#0, none)"))},
    ]
    quirks = graded(write(tmp_path / "p.json", predictions), finqa).quirks
    assert quirks is not None
    assert (quirks.without_eof, quirks.empty_programs) == (1, 1)
    assert quirks.table_operation_on_a_step == 1


@pytest.mark.parametrize("layout", ["convfinqa", "turn_level"])
def test_official_convfinqa_object_is_read(
    tmp_path: Path, layout: str, request: pytest.FixtureRequest
) -> None:
    gold = request.getfixturevalue(layout)
    path = write(tmp_path / "p.json", official_convfinqa("10000", "subtract(8000, 10000)"))
    matrix = graded(path, gold)
    assert matrix.graders["official"].correct == 1
    assert matrix.program_accuracy.correct == 1
    assert "official_convfinqa" not in matrix.graders


def test_only_the_first_of_several_candidates_counts(tmp_path: Path, convfinqa: GoldSet) -> None:
    document = official_convfinqa("8000")
    document["key 0"] += official_convfinqa("10000")["key 0"]
    matrix = graded(write(tmp_path / "p.json", document), convfinqa)
    assert matrix.graders["official"].correct == 0


def test_turn_level_gold_has_units_and_pages(turn_level: GoldSet) -> None:
    turn = turn_level.turns["Single_T/2016/page_1.pdf-1", 1]
    assert (turn.page, turn.gold.unit, turn.gold.answer) == ("T/2016/page_1.pdf", "absolute", 2000)


def test_prediction_reads_back_as_written(tmp_path: Path) -> None:
    written = Prediction.model_validate(ours(1, 2000.0, expressions=["10000 - 8000"]))
    path = tmp_path / "p.jsonl"
    path.write_text(written.model_dump_json() + "\n", encoding="utf-8")
    assert read_predictions(path) == [written]


def test_line_separators_within_a_text_do_not_end_a_line(tmp_path: Path) -> None:
    line = Prediction.model_validate(ours(0, 1.0, question="a\u2028b\x85c"))
    path = tmp_path / "p.jsonl"
    path.write_text(line.model_dump_json() + "\n", encoding="utf-8")
    assert read_predictions(path)[0].question == "a\u2028b\x85c"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("turn", -1),
        ("answer", {"value": "yes", "unit": "absolute"}),
        ("answer", {"value": True, "unit": "absolute"}),
        ("answer", {"value": 1.0, "unit": "dollars"}),
        ("expressions", "1 + 1"),
        ("page", None),
    ],
)
def test_wrong_field_is_named_with_file_and_line(
    tmp_path: Path, convfinqa: GoldSet, field: str, value: Any
) -> None:
    path = write_lines(tmp_path / "p.jsonl", ours(0, 1.0), {**ours(1, 1.0), field: value})
    with pytest.raises(DataError, match=rf"p\.jsonl, record line 2, field {field}"):
        match(path, convfinqa)


def test_truncated_line_is_named(tmp_path: Path, convfinqa: GoldSet) -> None:
    path = write_lines(tmp_path / "p.jsonl", ours(0, 1.0), ours(1, 1.0))
    path.write_text(path.read_text()[:-40])
    with pytest.raises(DataError, match="record line 2"):
        match(path, convfinqa)


def test_nan_is_refused(tmp_path: Path, convfinqa: GoldSet) -> None:
    path = write_lines(tmp_path / "p.jsonl", ours(0, float("nan")))
    with pytest.raises(DataError, match="record line 1"):
        match(path, convfinqa)


def test_turn_predicted_twice_is_refused(tmp_path: Path, convfinqa: GoldSet) -> None:
    path = write_lines(tmp_path / "p.jsonl", ours(0, 1.0), ours(0, 2.0))
    with pytest.raises(DataError, match="predicted twice"):
        match(path, convfinqa)


def test_unknown_turn_is_refused(tmp_path: Path, convfinqa: GoldSet) -> None:
    with pytest.raises(DataError, match=r"turn 7: no such turn.*right --gold"):
        match(write_lines(tmp_path / "p.jsonl", ours(7, 1.0)), convfinqa)


def test_format_of_the_other_data_set_is_refused(tmp_path: Path, finqa: GoldSet) -> None:
    with pytest.raises(DataError, match="format of convfinqa"):
        match(write(tmp_path / "p.json", official_convfinqa("10000")), finqa)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([{"id": "x"}], "field predicted"),
        ([{"predicted": []}], "field id"),
        ([7], "field id"),
        ([{"id": "x", "predicted": [1]}], "field predicted"),
    ],
)
def test_damaged_finqa_predictions_name_the_field(
    tmp_path: Path, finqa: GoldSet, document: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        match(write(tmp_path / "p.json", document), finqa)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "no turn"}, "field id"),
        ({"ref_prog": None}, "field ref_prog"),
        ({"ref_prog": ["add(", "1"]}, "field ref_prog"),
        ({"pred_prog": "add(1, 2)"}, "field pred_prog"),
    ],
)
def test_damaged_convfinqa_predictions_name_the_field(
    tmp_path: Path, convfinqa: GoldSet, change: dict[str, Any], message: str
) -> None:
    document = official_convfinqa("10000")
    document["key 0"][0].update(change)
    with pytest.raises(DataError, match=message):
        match(write(tmp_path / "p.json", document), convfinqa)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"7", b'[{"id": ', b"[" * 100_000])
def test_file_that_holds_no_predictions_is_refused(
    tmp_path: Path, convfinqa: GoldSet, content: bytes
) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"p\.json"):
        match(path, convfinqa)


def test_missing_file_and_directory_are_refused(tmp_path: Path, convfinqa: GoldSet) -> None:
    with pytest.raises(DataError, match="No such file"):
        match(tmp_path / "absent.jsonl", convfinqa)
    with pytest.raises(DataError, match="is a folder"):
        match(tmp_path, convfinqa)


@pytest.mark.parametrize(
    "records", [[], {}, [7], [{"id": "x"}], [{"id": "x_0", "annotation": {"cur_program": "1"}}]]
)
def test_file_that_holds_no_gold_is_refused(tmp_path: Path, records: Any) -> None:
    with pytest.raises(DataError, match=r"gold\.json"):
        read_gold(write(tmp_path / "gold.json", records))
