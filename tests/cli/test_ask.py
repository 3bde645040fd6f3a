"""``crossfoot ask``: pages, questions, dialogue, and hostile pages."""

import io
import json
import sys

import pytest

import tiny
from crossfoot.errors import ModelError
from scripted import Scripted, called, submitted

PAGE = """# Results

Results of the year are shown below (in millions).

| | 2016 | 2015 |
|---|---|---|
| revenue | 5829 | 5735 |
| net debt | (26) | 31 |

Cash paid for interest was $ 121.1 in 2016.
"""
GROWTH = (called("calculate", expression="5829 - 5735"), submitted("94.0"))


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


@pytest.fixture
def crossfoot(crossfoot, monkeypatch):
    """Runs ``ask`` with a scripted engine, or with a real one where no texts are given."""

    def run(*arguments, says=(), stdin="", engine=None):
        if says or engine:
            scripted = engine or Scripted(*says)
            monkeypatch.setattr("crossfoot.engines.build.build_engine", lambda *a, **k: scripted)
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin) if isinstance(stdin, str) else stdin)
        monkeypatch.setenv("COLUMNS", "200")
        return crossfoot("ask", *arguments)

    return run


@pytest.mark.parametrize(
    "options", [(), ("--constrained",), ("--prompt", "chosen"), ("--prompt", "chosen", "--free")]
)
def test_a_tiny_model_answers_something(crossfoot, page, tmp_path, options):
    model = tiny.save_model(tmp_path / "model")
    code, out, err = crossfoot(page, "what was the revenue?", "--model", model, "--json", *options)
    assert code == 0
    document = json.loads(out)
    assert document["page"] == str(page)
    assert document["turns"][0]["question"] == "what was the revenue?"
    assert "Warning" not in err


@pytest.mark.parametrize(
    ("options", "held", "weighed"),
    [
        ((), True, True),
        (("--free",), False, True),
        (("--no-line-prior",), True, False),
        (("--prompt", "short"), False, False),
        (("--prompt", "short", "--constrained"), True, False),
    ],
)
def test_quotes_are_held_and_weighed_unless_options_say_not(
    crossfoot, page, monkeypatch, options, held, weighed
):
    built = []

    def build(name, wanted):
        built.append(wanted)
        return Scripted(*GROWTH)

    monkeypatch.setattr("crossfoot.engines.build.build_engine", build)
    assert crossfoot(page, "by how much did revenue grow?", *options)[0] == 0
    assert [(wanted.constrained, wanted.line_prior) for wanted in built] == [(held, weighed)]


def test_the_working_of_an_answer_is_shown_with_where_its_numbers_stand(crossfoot, page):
    code, out, _ = crossfoot(page, "by how much did revenue grow?", says=GROWTH)
    assert code == 0
    lines = [line.strip() for line in out.splitlines()]
    assert lines == [
        "by how much did revenue grow?",
        "5829 - 5735 = 94.0",
        "answer: 94.0 (absolute)",
        "5829: revenue, 2016",
        "5735: revenue, 2015",
    ]


def test_a_number_that_stands_nowhere_is_warned_of(crossfoot, page):
    says = (called("calculate", expression="777 / 100"), submitted("7.77"))
    _, out, _ = crossfoot(page, "how much?", says=says)
    assert "warning: 777 stands nowhere on the page" in out
    assert "100: a constant, not on the page" in out


def test_several_calls_and_refused_ones_are_each_shown_with_their_result(crossfoot, page):
    both = "\n".join(called("calculate", expression=e) for e in ("1 / 0", "5829 - 5735"))
    says = (called("submit_answer", value="lots"), both, submitted("94.0"))
    _, out, _ = crossfoot(page, "how much?", says=says)
    assert "submit_answer(lots) = error: value must be a number" in out
    assert "1 / 0 = error: division by zero" in out
    assert "5829 - 5735 = 94.0" in out


def test_a_turn_without_an_answer_says_so(crossfoot, page):
    code, out, _ = crossfoot(page, "how much?", says=("I do not know",))
    assert code == 0
    assert "I do not know" in out
    assert "no answer" in out


def test_json_is_one_document_with_every_turn(crossfoot, page):
    says = (*GROWTH, submitted("777"))
    code, out, err = crossfoot(page, "how much more?", "and then?", "--json", says=says)
    assert code == 0
    assert err == ""
    first, second = json.loads(out)["turns"]
    assert first["answer"] == {"value": 94.0, "unit": "absolute", "text": "94.0"}
    assert first["expressions"] == ["5829 - 5735"]
    assert first["grounds"][0] == {"number": "5829", "places": ["revenue, 2016"]}
    assert second["grounds"] == [{"number": "777", "places": []}]


def test_questions_are_read_from_the_terminal_until_an_empty_line(crossfoot, page):
    says = (submitted("5829"), submitted("5735"))
    code, out, _ = crossfoot(
        page, says=says, stdin="what was the revenue?\nand in 2015?\n\nnever asked\n"
    )
    assert code == 0
    assert "answer: 5829" in out
    assert "answer: 5735" in out
    assert "never asked" not in out


def test_a_dialogue_ends_with_its_input(crossfoot, page):
    code, out, _ = crossfoot(page, says=(submitted("5829"),), stdin="what was the revenue?")
    assert code == 0
    assert "answer: 5829" in out


def test_a_dialogue_survives_a_question_that_cannot_be_answered(crossfoot, page):
    def reply(messages):
        if "long" in messages[-1]["content"]:
            raise ModelError("does not fit")
        return submitted("5829")

    code, out, err = crossfoot(
        page, engine=Scripted(reply=reply), stdin=f"long one\n{'x' * 3000}\nrevenue?\n"
    )
    assert code == 0
    assert "does not fit" in err
    assert "longer than 2000" in err
    assert "answer: 5829" in out


def test_input_that_is_no_text_ends_in_one_line(crossfoot, page):
    stdin = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00\n"), encoding="utf-8")
    code, _, err = crossfoot(page, says=(submitted("1"),), stdin=stdin)
    assert code == 2
    assert "not readable as text" in err


def test_a_hostile_page_can_neither_style_nor_steer_the_terminal(crossfoot, tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        "| [red]x[/red]\\ | [/] [bold]2016 |\n|---|---|\n"
        "| [link=file:///etc]rev\x1b[31menue\x07[/link]\\ | 5829 |\n"
    )
    says = (called("calculate", expression="[bold]1[/bold]\x1b[2J"), submitted("5829"))
    code, out, _ = crossfoot(path, "[blink]what[/blink]?\x1b[2J", says=says)
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[link=file:///etc]rev" in out
    assert "[blink]what[/blink]?" in out


def test_pages_that_cannot_be_read_end_in_one_line(crossfoot, page, tmp_path):
    (tmp_path / "binary.md").write_bytes(b"\x00\xff\x1b" * 100)
    (tmp_path / "nul.md").write_bytes(b"| a | b |\n|---|---|\n| \x00 | 1 |\n")
    (tmp_path / "empty.md").write_text("")
    (tmp_path / "large.md").write_text("| 1 | 2 |\n" * 1_000_000)
    for name in ("missing.md", ".", "binary.md", "nul.md", "empty.md", "large.md"):
        code, out, err = crossfoot(tmp_path / name, "how much?", says=(submitted("1"),))
        assert (code, out) == (2, ""), name
        assert len(err.strip().splitlines()) == 1, name
        assert err.startswith("crossfoot: "), name


@pytest.mark.parametrize("question", ["", "  ", "x" * 3000, "caf\udce9"], ids=range(4))
def test_a_question_that_cannot_be_asked_ends_in_one_line(crossfoot, page, question):
    code, out, err = crossfoot(page, "how much?", question, says=(submitted("1"),))
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--prompt", "medium"),
        ("--model", "/no/such/model"),
        ("--line-prior", "--prompt", "short"),
        ("--constrained", "--prompt", "scaled"),
    ],
)
def test_options_that_do_not_fit_end_in_one_line(crossfoot, page, options):
    code, out, err = crossfoot(page, "how much?", *options)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
