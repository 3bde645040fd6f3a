from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import filings
from crossfoot.cli.main import app
from crossfoot.errors import CrossfootError

PROGRAM = "subtract(5829, 5735), divide(#0, 5735)"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with three questions, one without evidence and one without label."""
    folder = tmp_path / "data"
    monkeypatch.setenv("CROSSFOOT_DATA", str(folder))
    questions = [
        filings.finqa_record(1),
        filings.finqa_record(2, gold_inds={}, program="add(7, 8)", exe_ans=15),
        filings.finqa_record(3, exe_ans=None),
    ]
    filings.write(folder / "finqa" / "dev.json", questions)
    filings.write(folder / "convfinqa" / "dev.json", [filings.convfinqa_record()])
    return folder


def build(output: Path, *arguments: object) -> Result:
    words = ["data", "build", "finqa", "--output", output, "--prompt-style", "base", *arguments]
    return CliRunner().invoke(app, [str(word) for word in words])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_lines_have_id_question_context_prompt_target_and_evidence(tmp_path: Path) -> None:
    result = build(tmp_path / "out", "--input", "gold", "--target", "program")
    assert result.exit_code == 0, result.output
    (line,) = lines(tmp_path / "out" / "dev.jsonl")
    assert list(line) == ["id", "question", "context", "prompt", "target", "evidence"]
    assert line["target"] == PROGRAM
    assert line["context"] in line["prompt"]
    assert line["evidence"] == {
        "units": ["table_1"],
        "source": "given",
        "shown": ["table_0", "table_1"],
        "recall": 1.0,
    }
    assert "1 without evidence, 1 without label" in result.stderr
    assert result.stdout == ""


def test_prompts_may_be_those_of_a_recipe(tmp_path: Path) -> None:
    written = {}
    for form in ("short", "labelled"):
        assert build(tmp_path / form, "--prompt", form).exit_code == 0
        written[form] = lines(tmp_path / form / "dev.jsonl")[0]
        assert written[form]["context"] in written[form]["prompt"]
    assert written["short"]["target"] == written["labelled"]["target"]
    assert "2016 = " in written["labelled"]["context"]
    assert "2016 = " not in written["short"]["context"]


def test_counts_are_one_json_document(tmp_path: Path) -> None:
    result = build(tmp_path / "x.jsonl", "--json")
    counts = json.loads(result.stdout)
    assert counts["file"] == str(tmp_path / "x.jsonl")
    assert (counts["questions"], counts["left_out"]) == (2, {"without label": 1})
    assert counts["evidence"] == {"given": 1, "none": 1}
    assert "2 lines of 2 questions written" in result.stderr


def test_more_distractors_than_the_page_has_are_reported(tmp_path: Path) -> None:
    result = build(tmp_path / "out", "--input", "noisy_gold", "--text-distractors", 50)
    assert "1 questions have fewer distractors on their page" in result.stderr
    (line,) = lines(tmp_path / "out" / "dev.jsonl")
    assert line["evidence"]["shown"] == ["text_0", "table_0", "table_1", "text_1"]


def test_retrieval_reports_recall_of_each_question_and_of_all(tmp_path: Path) -> None:
    result = build(tmp_path / "out", "--input", "retrieved", "--budget", 1, "--json")
    assert json.loads(result.stdout)["evidence_recall"] == 1.0
    assert "recall of the evidence 100.0%" in result.stderr
    assert [line["evidence"]["recall"] for line in lines(tmp_path / "out" / "dev.jsonl")] == [
        1,
        None,
    ]


def test_the_same_options_write_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        build(tmp_path / name, "--input", "noisy_gold", "--text-distractors", 1)
    written = [(tmp_path / name / "dev.jsonl").read_bytes() for name in "ab"]
    assert written[0] == written[1]


def test_prompts_of_instruction_models_go_through_the_models_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = pytest.importorskip("tiny")
    import crossfoot.models.loading as loading

    monkeypatch.setattr(loading, "load_tokenizer", lambda _: tiny.tokenizer("gemma3"))
    result = build(tmp_path / "out", "--prompt-style", "instruct", "--target", "numerical")
    assert result.exit_code == 0, result.output
    line = lines(tmp_path / "out" / "dev.jsonl")[0]
    assert line["prompt"].endswith("<end_of_turn>\n<start_of_turn>model\n")
    assert line["target"] == "0.01639"
    build(tmp_path / "tool", "--prompt-style", "instruct", "--target", "tool")
    calls = lines(tmp_path / "tool" / "dev.jsonl")
    assert [line["id"][-1] for line in calls] == ["1", "1", "2", "2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "programme"), "known are program, numerical, answer, tool"),
        (("--input", "golden"), "known are gold, all, noisy_gold, retrieved"),
        (("--prompt-style", "chat"), "known are instruct, base"),
        (("--prompt", "tall"), "known are short, long"),
        (("--target", "tool"), "use prompt style instruct"),
        (("--split", "train"), "crossfoot data get finqa"),
        (("--output", "/proc/none/out"), "give another --output"),
        (("--output", "lines.json"), "lines of JSON go into a .jsonl file"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = build(tmp_path / "out", *arguments)
    assert isinstance(result.exception, CrossfootError)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_evidence_that_does_not_exist_is_an_error_or_left_out(tmp_path: Path, data: Path) -> None:
    records = [filings.finqa_record(1), filings.finqa_record(2, gold_inds={"table_9": "?"})]
    filings.write(data / "finqa" / "dev.json", records)
    result = build(tmp_path / "out")
    named = f"{data}/finqa/dev.json, record OURS/2016/page_1.pdf-2, field qa.gold_inds"
    assert named in str(result.exception)
    assert not (tmp_path / "out").exists()
    result = build(tmp_path / "out", "--skip-bad")
    assert "left out: 1 with wrong evidence" in result.stderr
    assert len(lines(tmp_path / "out" / "dev.jsonl")) == 1


def test_conversations_are_refused(tmp_path: Path) -> None:
    words = ["data", "build", "convfinqa", "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*words, "--prompt-style", "base"])
    assert "single questions: use finqa" in str(result.exception)
