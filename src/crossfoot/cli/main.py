"""The ``crossfoot`` command; each command lives in a file of its own beside this one."""

from __future__ import annotations

import sys
from typing import Any

import typer

from crossfoot.cli import (
    ask,
    check,
    compare,
    data,
    demo,
    doctor,
    eval,
    export,
    grade,
    read,
    serve,
    train,
)
from crossfoot.errors import CrossfootError

# Click's, which newer versions of typer carry under a name of their own.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]
INTERRUPTED = 130

app = typer.Typer(
    name="crossfoot",
    help="Small language models that answer questions about financial filings, checkably.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(doctor.doctor)
app.add_typer(data.app, name="data")
app.command()(ask.ask)
app.command()(train.train)
app.command("eval")(eval.evaluate)
app.command()(read.read)
app.command()(grade.grade)
app.command()(compare.compare)
app.command()(check.check)
app.command()(export.export)
app.command()(demo.demo)
app.command()(serve.serve)


@app.callback()
def _crossfoot() -> None:
    """Keeps command names in place, however many commands there are."""


def run() -> None:
    """Entry point: a user's mistake ends in one line on stderr and exit code 2."""
    try:
        code = app(prog_name="crossfoot", standalone_mode=False) or 0
    except CrossfootError as error:
        print(f"crossfoot: {error}", file=sys.stderr)
        code = 2
    except UsageError as error:
        code = _refuse(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("crossfoot: interrupted", file=sys.stderr)
    sys.exit(code)


def _refuse(error: Any) -> int:
    """Say what is wrong with the command line; nothing where its help was printed instead."""
    said = error.format_message().rstrip(".")
    if said:
        command = error.ctx.command_path if error.ctx else "crossfoot"
        print(f"crossfoot: {said[0].lower()}{said[1:]} ({command} --help)", file=sys.stderr)
    return int(error.exit_code)
