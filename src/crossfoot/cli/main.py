"""The ``crossfoot`` command; each command lives in a file of its own beside this one."""

from __future__ import annotations

import sys

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
        app()
    except CrossfootError as error:
        print(f"crossfoot: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("crossfoot: interrupted", file=sys.stderr)
        sys.exit(130)
