"""The run folder: whole files, whole lines, nothing secret."""

from __future__ import annotations

import json

import pytest

from crossfoot.errors import DataError
from crossfoot.runs.folder import RunFolder, environment


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path):
    run = RunFolder(tmp_path)
    run.write_json("a.json", {"one": 1})
    with pytest.raises(TypeError):
        run.write_json("a.json", {"one": object()})
    with pytest.raises(UnicodeEncodeError):
        run.write_text("a.json", "half \ud800")
    assert run.read_json("a.json") == {"one": 1}


def test_a_file_that_cannot_take_its_place_leaves_no_part(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(DataError, match=r"a\.json: cannot be written: Is a directory"):
        RunFolder(tmp_path).write_json("a.json", {"one": 1})
    with pytest.raises(DataError, match=r"a\.json: cannot be written: Is a directory"):
        RunFolder(tmp_path).append_lines("a.json", [1])
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_lines_are_read_as_they_were_appended(tmp_path):
    run = RunFolder(tmp_path)
    run.append_lines("a.jsonl", [{"é": 1}])
    run.append_lines("a.jsonl", [{"é": 2}, {"é": 3}])
    assert run.read_lines("a.jsonl") == [{"é": 1}, {"é": 2}, {"é": 3}]


def test_a_file_of_lines_that_is_absent_has_none(tmp_path):
    assert RunFolder(tmp_path).read_lines("a.jsonl") == []


def test_a_last_line_cut_off_anywhere_is_dropped(tmp_path):
    run = RunFolder(tmp_path)
    path = run.write_lines("a.jsonl", [{"é": 1}, {"é": 2}])
    whole = path.read_bytes()
    first = len(whole) // 2
    for length in range(first, len(whole)):
        path.write_bytes(whole[:length])
        assert run.read_lines("a.jsonl") == [{"é": 1}]


def test_a_broken_line_before_the_last_is_an_error(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1\n{"a": 2}\n')
    with pytest.raises(DataError, match=r"a\.jsonl: a line is not readable as JSON"):
        RunFolder(tmp_path).read_lines("a.jsonl")


@pytest.mark.parametrize(("content", "said"), [(None, "no such file"), ("{", "not readable")])
def test_a_json_file_that_cannot_be_read_is_named(tmp_path, content, said):
    if content is not None:
        (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=rf"a\.json: {said}"):
        RunFolder(tmp_path).read_json("a.json")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    for path in (tmp_path / "run", tmp_path / "run" / "inside"):
        with pytest.raises(DataError, match="a file stands where this folder should go"):
            RunFolder(path).create()
    assert (tmp_path / "run").read_text() == "mine"


def test_the_environment_has_versions_but_no_variables(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    document = environment()
    assert document["packages"]["torch"]
    assert document["cores"] >= 1
    assert "hf_secret" not in json.dumps(document)
