"""The grammar of programs that a prompt allows: the DSL over its own numbers and row names.

``program_grammar(messages)`` is Lark text for llguidance. Operands are the numbers of the page and
of the question, constants, and results of earlier steps; a table operation takes a row whose cells
are all numbers, and ``greater`` stands last, so that every program parses and, but for a division
by zero, executes. It is made from the messages alone: what the model is not shown it cannot write.
The DSL is that of FinQA (https://github.com/czyssrs/FinQA).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from crossfoot.arithmetic.program import TABLE_OPS, number
from crossfoot.chat.messages import Message
from crossfoot.pages.markdown import cells_of_line, unescaped

MAX_STEPS = 8
MAX_NUMBERS = 2000
CONSTANTS = tuple(
    f"const_{name}"
    for name in (*range(1, 11), 12, 100, 1000, 10000, 100000, 1000000, 1000000000, "m1")
)
_NUMBER = re.compile(
    r"(?<![\w.,])(-\s?)?\$?\s?((?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(\s?%)?"
)
_TABLE = re.compile(r"<table>\n(.*?)\n</table>", re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")


def program_grammar(messages: Sequence[Message]) -> str:
    """Lark text of the programs that may answer the question in ``messages``."""
    shown = "\n".join(_pages_and_questions(messages))
    operands = [*dict.fromkeys(numbers(shown))][:MAX_NUMBERS] + list(CONSTANTS)
    rows = [*dict.fromkeys(_numeric_rows(shown))]
    lines = ["start: program_0"]
    for step in range(MAX_STEPS):
        more = [f'step_{step} ", " program_{step + 1}'] if step + 1 < MAX_STEPS else []
        lines.append(f"program_{step}: {' | '.join([f'step_{step}', f'last_{step}', *more])}")
        argument = f"argument_{step}"
        lines.append(f'last_{step}: "greater(" {argument} ", " {argument} ")"')
        of_table = ['TABLE_OPERATION ROW ", none)"'] if rows else []
        lines.append(
            f"step_{step}: " + " | ".join([f'OPERATION {argument} ", " {argument} ")"', *of_table])
        )
        earlier = [json.dumps(f"#{index}") for index in range(step)]
        lines.append(f"{argument}: {' | '.join(['OPERAND', *earlier])}")
    lines.append(terminal("OPERAND", operands))
    lines.append(
        terminal("OPERATION", [f"{op}(" for op in ("add", "subtract", "multiply", "divide", "exp")])
    )
    if rows:
        lines.append(terminal("TABLE_OPERATION", [f"{op}(" for op in TABLE_OPS]))
        lines.append(terminal("ROW", rows))
    return "\n".join(lines)


def _pages_and_questions(messages: Sequence[Message]) -> Iterator[str]:
    """What the messages show of a page, without the instructions and their example."""
    for message in messages:
        content = str(message["content"])
        if message["role"] == "system":
            content = content[content.find("<document>") :]
        yield content


def numbers(text: str) -> Iterator[str]:
    """Numbers as programs write them: without commas, with and without sign and percent sign."""
    for minus, digits, percent in _NUMBER.findall(text):
        plain = digits.replace(",", "")
        for sign in ("", "-") if minus else ("",):
            yield sign + plain
            if percent:
                yield f"{sign}{plain}%"


def _numeric_rows(text: str) -> Iterator[str]:
    """Names of the table's rows whose cells are all numbers, as the official script reads them."""
    for table in _TABLE.findall(text):
        for name, values in _rows(unescaped(table)):
            told = [value.replace("$", "").strip().split("(")[0].strip() for value in values]
            numeric = bool(told) and all(number(value) is not None for value in told)
            # A comma or a parenthesis would cut the name in two for the official tokens.
            if name and numeric and ", " not in name and not set("()#") & set(name):
                yield name


def _rows(table: str) -> Iterator[tuple[str, list[str]]]:
    """Name and cells of each row, of a Markdown table or of a labelled one."""
    lines = table.split("\n")
    if table.startswith("|"):
        for row in lines[2:]:  # below the header and its rule
            name, *values = (cell.strip().replace("\\|", "|") for cell in _CELL.split(row)[1:-1])
            yield name, values
    else:
        for row in lines:
            name, cells = cells_of_line(row)
            yield name, [value for _, value in cells]


def terminal(name: str, texts: Sequence[str]) -> str:
    return f"{name}: {' | '.join(map(json.dumps, texts))}"
