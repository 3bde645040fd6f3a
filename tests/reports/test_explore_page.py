"""The page of a data set: whole, escaped, the same each time."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import filings
import workshop
from crossfoot.cli.main import app
from crossfoot.errors import CrossfootError
from crossfoot.tasks.overview import spread

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A model's tokenizer and two splits, one question with a hostile answer string."""
    workshop.write_model(tmp_path / "model")
    records = [filings.finqa_record(number) for number in range(3)]
    records[1]["qa"]["answer"] = "<script>99</script>"
    for split in ("train", "dev"):
        filings.write(tmp_path / "data" / "finqa" / f"{split}.json", records)
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path / "data"))
    return tmp_path


def page(workspace: Path, name: str = "page.html") -> str:
    words = ["data", "explore", "finqa", "--html", str(workspace / "out" / name)]
    done = CliRunner().invoke(app, [*words, "--model", str(workspace / "model")])
    assert done.exit_code == 0, done.output
    return (workspace / "out" / name).read_text("utf-8")


class Tags(HTMLParser):
    """Which tags a page opens."""

    def __init__(self):
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)


def test_the_page_has_figures_lengths_suspicious_labels_and_twins(workspace):
    text = page(workspace)
    tags = Tags()
    tags.feed(text)
    assert tags.seen.count("svg") >= 6
    assert "script" not in tags.seen
    assert "&lt;script&gt;" in text
    assert "answer differs" in text
    assert "train: 1 pages stand in both" in text
    assert "tokens of a page (model), median" in text


def test_the_page_is_the_same_each_time(workspace):
    assert page(workspace) == page(workspace, "again.html")


def test_a_place_that_cannot_be_written_is_told(workspace):
    (workspace / "file").write_text("")
    words = ["data", "explore", "finqa", "--html", str(workspace / "file" / "page.html")]
    done = CliRunner().invoke(app, [*words, "--model", str(workspace / "model")])
    assert isinstance(done.exception, CrossfootError)


def test_the_spread_of_lengths():
    assert spread(range(1, 11)) == {"least": 1, "median": 6, "90%": 10, "most": 10}
