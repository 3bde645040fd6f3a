from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfoot.errors import DataError
from crossfoot.pages.markdown import render_table
from crossfoot.pages.page import Page
from crossfoot.pages.reader import MAX_PAGE_BYTES, read_page
from crossfoot.pages.table import Number, Table

FIXTURE = Path(__file__).parents[1] / "fixtures" / "page.md"
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


def test_headings_lists_and_underlines_become_paragraphs(tmp_path):
    text = f"Title\n=====\n## Next\nof it\n1. one\n2. two\n* three\n> four\n---\n\n{TABLE}"
    page = read_page(write(tmp_path, text))
    assert page.before == ("Title", "Next", "of it", "1. one", "2. two", "three", "four")


def test_marks_of_markdown_are_not_part_of_the_text(tmp_path):
    text = "a **bold** word, 5 \\* 3 & &lt;x&gt;"
    table = "| | __2016__ |\n|-|-|\n| **total**<br>debt | \\$5 |"
    page = read_page(write(tmp_path, f"{text}\n\n{table}"))
    assert page.before == ("a bold word, 5 * 3 & <x>",)
    assert page.table.rows == (("", "2016"), ("total debt", "$5"))


def test_a_byte_order_mark_and_windows_lines_do_not_matter(tmp_path):
    plain = read_page(write(tmp_path, f"before\n\n{TABLE}\nafter"))
    text = f"\ufeffbefore\n\n{TABLE}\nafter".replace("\n", "\r\n")
    assert read_page(write(tmp_path, text)) == plain


def test_control_characters_never_reach_a_terminal(tmp_path):
    page = read_page(write(tmp_path, f"a\x1b]0;title\x07b\n\n{TABLE}"))
    assert page.before == ("a ]0;title b",)


def test_a_row_of_dashes_is_a_row_and_not_a_second_table(tmp_path):
    page = read_page(write(tmp_path, TABLE + "| --- | - | - |\n| cash | 1 | 2 |\n"))
    assert [row[0] for row in page.table.rows] == ["", "debt", "---", "cash"]


def test_the_example_page_reads():
    page = read_page(Path(str(files("crossfoot") / "examples" / "apd.md")))
    numbers = {
        (cell.row_header, cell.column_header): cell.number.value
        for cell in page.table.cells()
        if cell.number
    }
    assert len(numbers) == 12
    assert numbers["total debt", "2016"] == 6225.2
    assert numbers["commercial paper", "2015"] == 1260.0
    for amount in ("$121.1", "$97.5", "$132.4"):
        assert amount in page.after[-1]


def test_our_own_page_reads_with_its_numbers():
    page = read_page(FIXTURE)
    assert page.before[0] == "7. Borrowings"
    assert page.table.rows[2][0] == "Leases | vessels"
    assert [cell.number for cell in page.table.cells()] == [
        *(Number(1250.5), Number(1400.0), Number(-10.7, percent=True)),
        *(Number(-26.0), Number(-31.0), None),
        *(Number(900.0), None, None),
        *(Number(4.5, percent=True), Number(5.0, percent=True), None),
    ]
    assert page.after[0] == "Notes:"
    assert len(page.after) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("text only", "no table"),
        ("a | b\nc | d\n", "no table"),
        (TABLE + "\ntext\n\n" + TABLE, "2 tables found, at lines 1, 7"),
        ("| a | b |\n|---|---|\n", "header, a row"),
        ("| a |\n|---|\n| 1 |\n", "two columns"),
        ("| 2016 | 2015 |\n|---|---|---|\n| debt | 1 | 2 |\n", "2 cells and the line under it 3"),
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
    assert caught.value.advice


def test_a_page_of_ten_megabytes_is_refused_with_its_size(tmp_path):
    with pytest.raises(DataError, match=r"10\.0 MB is too large"):
        read_page(write(tmp_path, b"| a | b |\n" * 1_000_000))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path, message in ((tmp_path / "no.md", "no such file"), (tmp_path, "folder")):
        with pytest.raises(DataError, match=message):
            read_page(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device to read from")
def test_an_endless_device_is_not_read_to_its_end():
    with pytest.raises(DataError, match="too large"):
        read_page(Path("/dev/zero"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(alphabet="|-: \\\n*a1#&;").map(str.encode))
def test_any_bytes_are_a_page_or_a_data_error(tmp_path, content):
    path = write(tmp_path, content)
    try:
        page = read_page(path)
    except DataError:
        return
    assert isinstance(page, Page)
    assert len(page.table.rows) >= 2


CELLS = st.text(alphabet="ab 1.,|$%()-", max_size=8).map(lambda text: " ".join(text.split()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
def test_a_table_as_prompts_show_it_reads_back(tmp_path, body):
    table = Table((("item", "2016", "2015"), *body))
    shown = render_table(table)
    assert render_table(read_page(write(tmp_path, shown)).table) == shown
