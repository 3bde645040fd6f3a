from importlib.resources import files
from pathlib import Path

import pytest

from crossfoot.errors import DataError
from crossfoot.pages.reader import MAX_PAGE_BYTES, read_page

TABLE = "| | 2016 | 2015 |\n|---|---:|:---|\n| debt | 4918.1 | 3949.1 |\n"


def write(folder, content):
    path = folder / "page.md"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_paragraphs_and_table_are_read_in_order(tmp_path):
    text = f"# Debt\n\nfirst line\nsecond line\n\n- a point\n\n{TABLE}\nafter it\n"
    page = read_page(write(tmp_path, text))
    assert page.page_id == "page.md"
    assert page.before == ("Debt", "first line second line", "a point")
    assert page.table.rows == (("", "2016", "2015"), ("debt", "4918.1", "3949.1"))
    assert page.after == ("after it",)


def test_outer_pipes_may_be_missing_and_pipes_escaped(tmp_path):
    page = read_page(write(tmp_path, "item | 2016\n--- | ---\na \\| b | 5\n"))
    assert page.table.rows == (("item", "2016"), ("a | b", "5"))


def test_the_example_page_reads():
    page = read_page(Path(str(files("crossfoot") / "examples" / "apd.md")))
    assert len(page.table.rows) == 7
    assert "121.1" in page.after[-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no table"),
        ("text only", "no table"),
        (TABLE + "\ntext\n\n" + TABLE, "2 tables"),
        ("| a | b |\n|---|---|\n", "header, a row"),
        (b"\xff\xfe\x00\x01", "UTF-8"),
        (b"abc\x00def", "binary"),
        (b"x" * (MAX_PAGE_BYTES + 1), "too large"),
    ],
)
def test_what_is_no_page_is_refused_in_one_line(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_page(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path, message in ((tmp_path / "no.md", "no such file"), (tmp_path, "folder")):
        with pytest.raises(DataError, match=message):
            read_page(path)
