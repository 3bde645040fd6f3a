"""``crossfoot`` itself: a mistake on the command line is one line, as any other is."""

import logging

import pytest

from crossfoot.cli.quiet import quiet_libraries


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evil",), "crossfoot: no such command 'evil'. Did you mean 'eval'? (crossfoot --help)"),
        (("eval", "finqa", "--limit", "many"), "crossfoot: invalid value for '--limit': "),
        (("eval", "finqa", "--limit", "0"), "crossfoot: invalid value for '--limit': "),
        (("eval", "--nothing"), "crossfoot: no such option: --nothing"),
        (("data", "build"), "crossfoot: missing argument 'task' (crossfoot data build --help)"),
    ],
)
def test_a_mistake_on_the_command_line_ends_in_one_line(crossfoot, arguments, said):
    code, out, err = crossfoot(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(said)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [(), ("data",)])
def test_no_command_shows_the_commands(crossfoot, arguments):
    code, out, err = crossfoot(*arguments)
    assert (code, err) == (2, "")
    assert "Commands" in out


def test_an_interruption_is_told(crossfoot, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("crossfoot.pages.reader.read_page", interrupted)
    code, out, err = crossfoot("ask", "page.md", "how much?", "--adapter", "none")
    assert (code, out, err) == (130, "", "crossfoot: interrupted\n")


def test_libraries_keep_their_retries_to_themselves():
    hub = pytest.importorskip("huggingface_hub.utils.logging")
    hub.set_verbosity_warning()
    quiet_libraries()
    assert hub.get_verbosity() == logging.ERROR
