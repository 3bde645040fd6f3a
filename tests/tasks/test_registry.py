from __future__ import annotations

from pathlib import Path

import pytest

import filings
from crossfoot.errors import DataError, RecipeError
from crossfoot.tasks import registry
from crossfoot.tasks.records import SkippedRecords
from crossfoot.tasks.registry import TASKS, data_folder, load_task
from crossfoot.tasks.split import validation_split
from crossfoot.tasks.synthetic.generate import generate
from crossfoot.training.sections import Validation


def test_tasks_are_read_from_the_folder_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    filings.write(tmp_path / "finqa" / "test.json", [filings.finqa_record(4)])
    filings.write(tmp_path / "convfinqa" / "dev.json", [filings.convfinqa_record(5)])
    assert [s.sample_id for s in load_task("finqa", "test")] == ["OURS/2016/page_1.pdf-4"]
    assert len(load_task("convfinqa", "dev")[0].turns) == 3


def test_folder_given_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path / "elsewhere"))
    filings.write(tmp_path / "finqa" / "dev.json", [filings.finqa_record()])
    assert len(load_task("finqa", "dev", tmp_path)) == 1


def test_validation_is_what_recipes_hold_out_of_train(tmp_path: Path) -> None:
    records = [
        filings.finqa_record(number) | {"filename": f"OURS/2016/page_{number}.pdf"}
        for number in range(200)
    ]
    filings.write(tmp_path / "finqa" / "train.json", records)
    samples = load_task("finqa", "train", tmp_path)
    held = Validation()
    _, held_out = validation_split(samples, held.conversations, held.seed)
    assert len(held_out) == 150
    assert load_task("finqa", "validation", tmp_path) == held_out


def test_data_lies_in_the_cache_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("CROSSFOOT_DATA", raising=False)
    assert data_folder() == Path("/home/somebody/.cache/crossfoot/data")
    monkeypatch.setenv("CROSSFOOT_DATA", "")
    assert data_folder() == Path("/home/somebody/.cache/crossfoot/data")
    monkeypatch.setenv("CROSSFOOT_DATA", "~/filings")
    assert data_folder() == Path("/home/somebody/filings")


@pytest.mark.parametrize(
    ("name", "split", "said"),
    [
        ("convfinq", "dev", "unknown task: 'convfinq'; did you mean convfinqa?"),
        ("zzz", "dev", "unknown task: 'zzz'; known are finqa, convfinqa, synthetic"),
        ("finqa", "tset", "unknown split of finqa: 'tset'; did you mean test?"),
        ("finqa", "validaton", "unknown split of finqa: 'validaton'; did you mean validation?"),
        ("convfinqa", "test", "unknown split of convfinqa: 'test'"),
        ("finqa", "../../etc/passwd", "unknown split of finqa"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(name: str, split: str, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_task(name, split)
    assert str(caught.value).startswith(said)


def test_absent_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="crossfoot data get convfinqa") as caught:
        load_task("convfinqa", "dev", tmp_path)
    assert caught.value.file == tmp_path / "convfinqa" / "dev.json"


def test_bad_records_are_skipped_only_on_request(tmp_path: Path) -> None:
    records = [filings.finqa_record(1), filings.finqa_record(2, question="")]
    filings.write(tmp_path / "finqa" / "dev.json", records)
    with pytest.raises(DataError, match=r"field qa\.question"):
        load_task("finqa", "dev", tmp_path)
    with pytest.warns(SkippedRecords):
        assert len(load_task("finqa", "dev", tmp_path, skip_bad=True)) == 1


def test_synthetic_conversations_are_generated_where_no_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SYNTHETIC", {"train": (5, 0), "dev": (3, 1)})
    assert load_task("synthetic", "train", tmp_path) == generate(5, 0)
    assert load_task("synthetic", "dev", tmp_path) == generate(3, 1)


def test_synthetic_file_goes_before_generation(tmp_path: Path) -> None:
    filings.write(tmp_path / "synthetic" / "dev.json", [filings.convfinqa_record()])
    assert len(load_task("synthetic", "dev", tmp_path)) == 1


def test_every_task_knows_its_own_name() -> None:
    assert {name: task.name for name, task in TASKS.items()} == {
        name: name for name in ("finqa", "convfinqa", "synthetic")
    }
