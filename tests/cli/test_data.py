from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import filings
import tiny
import workshop
from crossfoot.cli.main import app
from crossfoot.errors import CrossfootError
from crossfoot.tasks.convfinqa import read_convfinqa
from crossfoot.tasks.registry import load_task


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two conversations and one question."""
    folder = tmp_path / "data"
    monkeypatch.setenv("CROSSFOOT_DATA", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    talks = [filings.convfinqa_record(1), filings.convfinqa_record(2)]
    filings.write(folder / "convfinqa" / "dev.json", talks)
    unlabelled = filings.finqa_record(2, exe_ans="")
    filings.write(folder / "finqa" / "dev.json", [filings.finqa_record(1), unlabelled])
    return folder


def crossfoot(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def document(*arguments: object) -> Any:
    result = crossfoot(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_tells_counts_hash_and_status(data: Path) -> None:
    shown = document("list")
    assert shown["folder"] == str(data)
    finqa, convfinqa = shown["files"]
    assert (finqa["task"], finqa["conversations"], finqa["official"]) == ("finqa", 2, False)
    assert convfinqa["turns"] == 6
    assert convfinqa["status"] == "not the official file: 2 of 421 conversations"
    assert re.fullmatch("[0-9a-f]{64}", convfinqa["sha256"])
    assert "not the official file: 2 of 421 conversations" in crossfoot("list").stdout


def test_empty_folder_says_what_to_do(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSFOOT_DATA", str(data / "empty"))
    result = crossfoot("list")
    assert result.exit_code == 0
    assert "crossfoot data get convfinqa" in result.stderr
    assert document("list")["files"] == []


def test_get_copies_from_a_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path / "new"))
    shown = document("get", "convfinqa", "--from", data)
    assert [file["split"] for file in shown["files"]] == ["dev"]
    assert len(load_task("convfinqa", "dev")) == 2


def test_explore_counts_the_data_set(data: Path) -> None:
    counts = document("explore", "convfinqa")
    assert (counts["pages"], counts["conversations"], counts["turns"]) == (1, 2, 6)
    assert counts["positions"] == {"1": 2, "2": 2, "3": 2}
    assert (counts["looked_up"], counts["computed"]) == (2, 4)
    assert counts["operations"] == {"subtract": 2, "divide": 2, "greater": 2}
    assert counts["steps"] == {"0": 2, "1": 2, "2": 2}
    assert counts["units"] == {"absolute": 2, "fraction": 2, "yes_no": 2}
    assert counts["characters"]["question"]["least"] == len("was it higher?")
    assert "computed" in crossfoot("explore", "convfinqa").stdout


def test_lengths_are_told_in_the_tokens_of_a_model(data: Path, tmp_path: Path) -> None:
    workshop.write_model(tmp_path / "model")
    tokens = document("explore", "convfinqa", "--model", tmp_path / "model")["tokens"]
    asked = [turn.question for turn in load_task("convfinqa", "dev")[0].turns]
    counted = tiny.tokenizer()(asked, add_special_tokens=False)["input_ids"]
    assert tokens["question"]["least"] == min(map(len, counted))
    assert tokens["question"]["most"] == max(map(len, counted))
    assert tokens["page"]["least"] == tokens["page"]["most"] > max(map(len, counted))
    assert "tokens" not in document("explore", "convfinqa")


def test_explore_counts_turns_without_answer(data: Path) -> None:
    assert document("explore", "finqa")["turns_without_answer"] == 1


def test_explore_takes_a_limit(data: Path) -> None:
    assert document("explore", "convfinqa", "--limit", 1)["conversations"] == 1


def test_show_prints_page_program_expression_answer_and_unit(data: Path) -> None:
    printed = crossfoot("explore", "convfinqa", "--show", 2).stdout
    assert "Single_OURS/2016/page_1.pdf-2" in printed
    assert "| revenue | 5829 | 5735 |" in printed
    assert "subtract(5829, 5735), divide(#0, 5735)" in printed
    assert "(5829 - 5735) / 5735" in printed
    assert "fraction" in printed
    shown = document("explore", "convfinqa", "--show", 2)
    assert shown["turns"][1]["expression"] == "(5829 - 5735) / 5735"
    assert shown["turns"][2]["answer"] == "yes"


def test_show_prints_markup_of_a_page_as_it_stands(data: Path) -> None:
    record = filings.convfinqa_record() | {"pre_text": ["notes [red]and[/red] [link=x]more"]}
    filings.write(data / "convfinqa" / "dev.json", [record])
    assert "[red]and[/red] [link=x]more" in crossfoot("explore", "convfinqa", "--show", 1).stdout


def test_program_that_does_not_fold_is_shown_with_the_reason(data: Path) -> None:
    record = filings.convfinqa_record(turn_program=["5829", "add(5829, ", "greater(1, 2)"])
    filings.write(data / "convfinqa" / "dev.json", [record])
    assert document("explore", "convfinqa")["unreadable_programs"] == 1
    shown = document("explore", "convfinqa", "--show", 1)
    assert shown["turns"][1]["expression"].startswith("none: ")


def test_targets_are_the_assistant_messages(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = pytest.importorskip("tiny")
    import crossfoot.models.loading as loading

    monkeypatch.setattr(loading, "load_tokenizer", lambda _: tiny.tokenizer())
    shown = document("explore", "convfinqa", "--targets", 1, "--model", "tiny")
    assert shown["rows"] == 5
    assert shown["extension_property"] is True
    (chain,) = shown["text"]
    learnt = [piece["text"] for piece in chain if piece["loss"]]
    assert len(learnt) == 5
    assert "5829" in learnt[0]
    assert "submit_answer" in learnt[0]
    assert "(5829 - 5735) / 5735" in learnt[1]
    printed = crossfoot("explore", "convfinqa", "--targets", 1, "--model", "tiny").stdout
    assert "has the extension property" in " ".join(printed.split())
    assert f"5 targets of {shown['targets']} tokens" in printed


def test_synth_writes_what_the_reader_reads(data: Path, tmp_path: Path) -> None:
    result = crossfoot("synth", "--output", tmp_path / "out.json", "--count", 3, "--seed", 5)
    assert result.exit_code == 0, result.output
    samples = read_convfinqa(tmp_path / "out.json")
    assert len(samples) == 3
    crossfoot("synth", "--output", data / "synthetic", "--count", 3, "--seed", 5)
    assert load_task("synthetic", "train") == samples


def test_synth_is_a_function_of_count_and_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        output = tmp_path / f"{name}.json"
        crossfoot("synth", "--output", output, "--count", 2, "--seed", seed)
    written = [(tmp_path / f"{name}.json").read_bytes() for name in "abc"]
    assert written[0] == written[1] != written[2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json", "c.json"]


def test_skipped_records_are_told_on_stderr(data: Path) -> None:
    records = [filings.convfinqa_record(1), filings.convfinqa_record(2, dialogue_break=[""])]
    filings.write(data / "convfinqa" / "dev.json", records)
    result = crossfoot("explore", "convfinqa", "--skip-bad", "--json")
    assert json.loads(result.stdout)["conversations"] == 1
    assert "1 of 2 records skipped" in result.stderr
    assert "SkippedRecords" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explore", "convfinq"), "did you mean convfinqa?"),
        (("explore", "convfinqa", "--split", "train"), "crossfoot data get convfinqa"),
        (("explore", "convfinqa", "--split", "development"), "unknown split"),
        (("explore", "convfinqa", "--show", "0"), "there are 2, counted from 1"),
        (("explore", "convfinqa", "--targets", "3"), "there are 2, counted from 1"),
        (("get", "convfin"), "did you mean convfinqa?"),
        (("get", "synthetic"), "crossfoot data synth"),
        (("get", "finqa", "--force", "--from", "/nonexistent"), "no such folder"),
        (("synth", "--output", "/proc/none/x.json", "--count", "1"), "give another --output"),
    ],
)
def test_mistake_is_one_line(data: Path, arguments: tuple[str, ...], said: str) -> None:
    result = crossfoot(*arguments)
    assert isinstance(result.exception, CrossfootError)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize(
    "content", [b"\x00\xff\xfe", b'[{"id": "a"', b'{"id": "a"}', b"[3]", b"[]"]
)
def test_damaged_file_ends_the_command_with_one_line_and_code_2(data: Path, content: bytes) -> None:
    (data / "convfinqa" / "dev.json").write_bytes(content)
    code = "from crossfoot.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code, "data", "explore", "convfinqa"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(data / "convfinqa" / "dev.json") in done.stderr


def test_suspicious_labels_are_listed(data: Path) -> None:
    records = [filings.finqa_record(1), filings.finqa_record(2, answer="4.9%")]
    filings.write(data / "finqa" / "dev.json", records)
    listed = document("explore", "finqa", "--suspicious")
    assert listed["kinds"] == {"answer differs": 1}
    (one,) = listed["suspicious"]
    assert (one["sample_id"], one["turn"]) == ("OURS/2016/page_1.pdf-2", 1)
    assert "people wrote 4.9%" in one["reason"]
    assert "answer differs" in crossfoot("explore", "finqa", "--suspicious").stdout


def test_pages_of_other_splits_are_compared(data: Path) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    pages = {
        name: filings.finqa_record() | {"filename": f"{name}.pdf", "pre_text": [text]}
        for name in ("dev", "train")
    }
    for name, record in pages.items():
        filings.write(data / "finqa" / f"{name}.json", [record, record])
    found = document("explore", "finqa", "--duplicates")
    assert found["repeated_conversations"] == 1
    twice = filings.finqa_record()["id"]
    assert found["repeated"] == [{"conversation": twice, "like": twice}]
    assert found["splits"]["train"]["shared_pages"] == 0
    (near,) = found["splits"]["train"]["near_pages"]
    assert (near["page"], near["like"], near["likeness"]) == ("dev.pdf", "train.pdf", 1.0)
    assert "train.pdf" in crossfoot("explore", "finqa", "--duplicates").stdout


def test_validation_is_compared_with_what_is_left_of_train(data: Path) -> None:
    records = [
        filings.finqa_record(number) | {"filename": f"{number}.pdf"} for number in range(160)
    ]
    filings.write(data / "finqa" / "train.json", records)
    assert document("explore", "finqa", "--split", "validation")["conversations"] == 150
    found = document("explore", "finqa", "--split", "validation", "--duplicates")
    assert found["splits"]["train"]["shared_pages"] == 0
    assert found["splits"].keys() == {"train", "dev"}


def test_evidence_is_counted_by_source_and_place(data: Path) -> None:
    filings.write(data / "finqa" / "dev.json", [filings.finqa_record()])
    counts = document("explore", "finqa")
    assert (counts["evidence"], counts["evidence_in"]) == ({"given": 1}, {"table": 1})
