"""Which samples an evaluation asks."""

import pytest

import filings
from crossfoot.errors import DataError
from crossfoot.evaluation.asked import Trained
from crossfoot.evaluation.samples import samples_of
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.split import validation_split
from crossfoot.training.recipe import Recipe


def recipe(task="finqa", **changes):
    return Recipe.model_validate({"model": "m", "data": [{"task": task}]} | changes)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Six questions on six pages; the second names no evidence and has none on its page."""
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    (tmp_path / "finqa").mkdir()
    records = [filings.finqa_record(number) for number in range(6)]
    records[1] = filings.finqa_record(1, gold_inds={}, program="add(7, 8)", exe_ans=15)
    for number, record in enumerate(records):
        record["filename"] = f"OURS/{number}/page_1.pdf"
    filings.write(tmp_path / "finqa" / "train.json", records)
    filings.write(tmp_path / "finqa" / "dev.json", records[:3])
    return tmp_path / "finqa"


def test_questions_without_what_is_to_be_shown_are_left_out_and_counted(data):
    samples, notes = samples_of("finqa", "dev", recipe(target="program", input="all"), None)
    assert (len(samples), notes) == (3, [])
    samples, notes = samples_of("finqa", "dev", recipe(target="program", input="gold"), None)
    assert [sample.sample_id[-1] for sample in samples] == ["0", "2"]
    assert notes == ["1 questions without evidence are left out"]


def test_none_left_is_an_error(data):
    filings.write(
        data / "dev.json", [filings.finqa_record(1, gold_inds={}, program="add(7, 8)", exe_ans=15)]
    )
    with pytest.raises(DataError, match="no question of finqa dev has evidence"):
        samples_of("finqa", "dev", recipe(target="program", input="gold"), None)


def test_validation_is_what_the_training_held_out(data, tmp_path):
    asked = recipe(target="program", input="all")
    held = asked.model_copy(
        update={"validation": recipe(validation={"conversations": 2}).validation}
    )
    samples, _ = samples_of("finqa", "validation", asked, Trained(tmp_path, held))
    assert samples == validation_split(load_task("finqa", "train"), 2, 0)[1]
    assert len(samples) == 2
    everything, _ = samples_of("finqa", "validation", asked, None)
    assert len(everything) == 6
