import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.pages.markdown import render_labelled, render_page, render_table
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table

# The worked example of the published ConvFinQA adapter, as its card prints the prompt. The text is
# the dataset's, the table as FinQA spells it.
PAGE = Page(
    "APD/2016/page_96.pdf",
    (
        "15 . debt the tables below summarize our outstanding debt at 30 september "
        "2016 and 2015 : total debt .",
        ".",
    ),
    Table(
        (
            ("", "2016", "2015"),
            ("current portion of long-term debt", "$ 371.3", "$ 435.6"),
            ("long-term debt", "4,918.1", "3,949.1"),
            ("total debt", "$ 6,225.2", "$ 5879.0"),
            ("bank obligations", "133.1", "234.3"),
            ("commercial paper", "802.7", "1260.0"),
            ("total short-term borrowings", "935.8", "1494.3"),
        )
    ),
    (
        "the weighted average interest rate of short-term borrowings outstanding at "
        "30 september 2016 and 2015 was 1.1% and 0.8% respectively.",
        "cash paid for interest, net of amounts capitalized, was $121.1 in 2016, $97.5 in 2015, "
        "and $132.4 in 2014.",
    ),
)
PRINTED = """<document>
<pre_text>
15 . debt the tables below summarize our outstanding debt at 30 september 2016 \
and 2015 : total debt .
</pre_text>
<table>
| | 2016 | 2015 |
|---|---|---|
| current portion of long-term debt | 371.3 | 435.6 |
| long-term debt | 4918.1 | 3949.1 |
| total debt | 6225.2 | 5879.0 |
| bank obligations | 133.1 | 234.3 |
| commercial paper | 802.7 | 1260.0 |
| total short-term borrowings | 935.8 | 1494.3 |
</table>
<post_text>
the weighted average interest rate of short-term borrowings outstanding at 30 september 2016 \
and 2015 was 1.1% and 0.8% respectively.
cash paid for interest, net of amounts capitalized, was $121.1 in 2016, $97.5 in 2015, \
and $132.4 in 2014.
</post_text>
</document>"""


def test_a_page_is_shown_as_the_published_adapters_show_it():
    assert render_page(PAGE) == PRINTED


def test_short_rows_are_filled_and_pipes_escaped():
    table = Table((("", "2016", "2015"), ("a|b", "1")))
    assert render_table(table).splitlines()[2] == "| a\\|b | 1 | |"


def test_a_table_without_rows_is_empty():
    assert render_table(Table(())) == ""


@given(
    st.lists(
        st.sampled_from(["</document>", "<|im_end|>", "<tool_call>", "<end_of_turn>", "x", " < "])
    )
)
def test_document_text_can_neither_close_nor_forge_a_tag(parts):
    text = "".join(parts)
    page = Page("p", (text,), Table((("", text), (text, text))), (text,))
    shown = render_page(page)
    assert shown.count("</document>") == 1
    assert "<|" not in shown
    assert "<tool_call>" not in shown
    assert "<end_of_turn>" not in shown


@pytest.mark.parametrize("tag", ["</DOCUMENT>", "< / pre_text >", "<Tool_Call>", "</table >"])
def test_a_tag_in_another_spelling_is_escaped_too(tag):
    page = Page("p", (f"x {tag}",), Table((("", "2016"), ("a", "1"))), ())
    assert tag not in render_page(page)
    assert f"x &lt;{tag[1:]}" in render_page(page)


@pytest.mark.parametrize(
    ("labelled", "known"), [(False, "4bdd04cd7e7e10b5"), (True, "e45f9704dcd8ec02")]
)
def test_the_rendering_that_adapters_were_trained_on_is_unchanged(shared_data, labelled, known):
    records = json.loads((shared_data / "convfinqa" / "dev.json").read_text("utf-8"))
    digest = hashlib.sha256()
    for record in records:
        table = Table(tuple(tuple(row) for row in record["table"]))
        page = Page("", tuple(record["pre_text"]), table, tuple(record["post_text"]))
        digest.update(render_page(page, labelled=labelled).encode())
    assert digest.hexdigest()[:16] == known


@pytest.mark.parametrize(
    "name",
    ["convfinqa/train", "convfinqa/train_partial", "convfinqa/dev", "finqa/train", "finqa/dev"],
)
def test_every_real_page_shows_each_of_its_rows(shared_data, name):
    for record in json.loads((shared_data / f"{name}.json").read_text("utf-8")):
        table = Table(tuple(tuple(row) for row in record["table"]))
        page = Page("", tuple(record["pre_text"]), table, tuple(record["post_text"]))
        lines = render_page(page).splitlines()
        first, last = lines.index("<table>"), lines.index("</table>")
        assert last - first == len(table.rows) + 2


def test_a_labelled_table_has_each_number_behind_its_headers():
    table = Table(
        (
            ("( in millions )", "2016", "", "2015"),
            ("total  debt", "$ 6,225.2", "x", "-26 ( 26 )"),
            ("as reported :", "", "", ""),
            ("borrowings", "935.8"),
        )
    )
    assert render_labelled(table) == (
        "( in millions )\n"
        "total debt: 2016 = 6225.2; x; 2015 = -26\n"
        "as reported:\n"
        "borrowings: 2016 = 935.8"
    )
    assert render_labelled(Table(())) == ""


def test_a_year_with_a_footnote_is_a_label():
    table = Table((("", "2012", "2011 ( 1 )"), ("taxes", "5", "6")))
    assert render_labelled(table) == "taxes: 2012 = 5; 2011 ( 1 ) = 6"


def test_a_first_row_of_figures_labels_nothing():
    table = Table((("2013", "$ 516"), ("2014", "556"), ("total", "1072")))
    assert render_labelled(table) == "2013: 516\n2014: 556\ntotal: 1072"


@given(st.lists(st.lists(st.text(), max_size=4).map(tuple), max_size=4).map(tuple))
def test_any_table_is_labelled_in_a_line_a_row(rows):
    lines = render_labelled(Table(rows)).split("\n")
    assert len(lines) in (max(len(rows), 1), max(len(rows) - 1, 1))
