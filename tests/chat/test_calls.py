import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.chat.calls import MAX_REPLY_CHARS, PARSERS, ToolCall, parse_reply

HERMES = '<tool_call>\n{"name": "calculate", "arguments": {"expression": "1 + 2"}}\n</tool_call>'
XML = (
    "<tool_call>\n<function=calculate>\n<parameter=expression>\n1 + 2\n</parameter>\n"
    "</function>\n</tool_call>"
)
CALL = ToolCall("calculate", {"expression": "1 + 2"})


@pytest.mark.parametrize(("text", "syntax"), [(HERMES, "hermes"), (XML, "qwen_xml")])
def test_a_call_is_read_with_the_text_before_it(text, syntax):
    reply = parse_reply(f"Let me see.\n{text}", syntax)
    assert reply.content == "Let me see."
    assert reply.calls == (CALL,)
    assert not reply.malformed


@pytest.mark.parametrize(("text", "syntax"), [(HERMES, "hermes"), (XML, "qwen_xml")])
def test_a_missing_closing_tag_is_forgiven(text, syntax):
    assert parse_reply(text.removesuffix("</tool_call>"), syntax).calls == (CALL,)


@pytest.mark.parametrize(("text", "syntax"), [(HERMES, "hermes"), (XML, "qwen_xml")])
def test_two_calls_are_both_read(text, syntax):
    assert parse_reply(f"{text}\n{text}", syntax).calls == (CALL, CALL)


def test_arguments_quoted_as_text_are_read():
    body = json.dumps({"name": "calculate", "arguments": json.dumps({"expression": "1 + 2"})})
    assert parse_reply(f"<tool_call>{body}</tool_call>", "hermes").calls == (CALL,)


def test_two_parameters_of_an_xml_call_are_read():
    text = (
        "<tool_call><function=submit_answer><parameter=value>\n94.0\n</parameter>"
        "<parameter=unit>\nabsolute\n</parameter></function></tool_call>"
    )
    expected = ToolCall("submit_answer", {"value": "94.0", "unit": "absolute"})
    assert parse_reply(text, "qwen_xml").calls == (expected,)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "calculate(1 + 2)",
        '{"name": "calculate"',
        '{"name": 3, "arguments": {}}',
        "[1]",
        "{}",
        '{"name": "calculate", "arguments": [1]}',
        '{"name": "calculate", "arguments": "1 + 2"}',
    ],
)
def test_an_unreadable_hermes_call_is_malformed(body):
    reply = parse_reply(f"<tool_call>{body}</tool_call>", "hermes")
    assert reply.calls == ()
    assert reply.malformed


def test_a_call_without_a_function_is_malformed_in_xml():
    reply = parse_reply("<tool_call>1 + 2</tool_call>", "qwen_xml")
    assert reply.malformed


def test_a_parameter_that_was_cut_off_is_malformed_since_its_number_may_be_too():
    cut = XML[: XML.index("</parameter>")]
    assert parse_reply(cut, "qwen_xml").malformed
    assert parse_reply(cut, "qwen_xml").calls == ()


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', "[" * 20 + "]" * 20])
def test_arguments_that_could_not_be_written_again_are_malformed(value):
    body = f'{{"name": "calculate", "arguments": {{"expression": {value}}}}}'
    reply = parse_reply(f"<tool_call>{body}</tool_call>", "hermes")
    assert reply.malformed
    assert reply.calls == ()


def test_plain_text_calls_nothing_and_is_not_malformed():
    reply = parse_reply("the revenue was 5829", "hermes")
    assert reply.content == "the revenue was 5829"
    assert reply.calls == ()
    assert not reply.malformed


def test_deeply_nested_json_does_not_raise():
    text = "<tool_call>" + '{"name":' * 20_000
    assert parse_reply(text, "hermes").malformed


def test_a_runaway_reply_is_cut():
    assert len(parse_reply("x" * (2 * MAX_REPLY_CHARS), "hermes").content) == MAX_REPLY_CHARS


PIECES = [
    "<tool_call>",
    "</tool_call>",
    "<function=",
    ">",
    "<parameter=",
    "</parameter>",
    '{"name":',
    '"arguments":',
    "{",
    "}",
    '"',
    "\\u",
    "\\ud800",
    "\n",
    "1e999",
    "NaN",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=20))
def test_no_text_makes_a_parser_raise(parts):
    for syntax in PARSERS:
        reply = parse_reply("".join(parts), syntax)
        assert all(isinstance(call.name, str) for call in reply.calls)


@given(st.text(max_size=60))
def test_any_expression_survives_the_hermes_form(expression):
    body = json.dumps({"name": "calculate", "arguments": {"expression": expression}})
    reply = parse_reply(f"<tool_call>\n{body}\n</tool_call>", "hermes")
    if "tool_call>" not in expression:
        assert reply.calls == (ToolCall("calculate", {"expression": expression}),)
