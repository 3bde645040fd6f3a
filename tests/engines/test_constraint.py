"""Output under the grammar: one readable call of a known tool, whatever the model."""

import pytest

import tiny
from crossfoot.arithmetic.calculator import calculate
from crossfoot.chat.messages import user
from crossfoot.chat.template import Chat
from crossfoot.engines.constraint import call_constraint
from crossfoot.engines.local import TransformersEngine
from crossfoot.grading.answer import UNITS, parse_answer

pytest.importorskip("llguidance")
ARGUMENTS = {"calculate": {"expression"}, "submit_answer": {"value", "unit"}}


def replies(template, new_tokens, seeds=range(4)):
    chat = Chat(tiny.tokenizer(template))
    for seed in seeds:
        constraint = call_constraint(chat)
        engine = TransformersEngine(tiny.llama(seed), chat, constraint=constraint)
        prompts = [[user(f"question {seed}")], [user("another one, a longer one")]]
        yield from engine.generate(prompts, new_tokens)


@pytest.mark.parametrize("template", ["crossfoot", "qwen3_5_nothink", "gemma3"])
def test_every_finished_reply_is_one_readable_call_of_a_known_tool(template):
    finished = [reply for reply in replies(template, 300) if reply.finished]
    assert finished
    for reply in finished:
        (call,) = reply.reply.calls
        assert not reply.reply.malformed
        assert reply.reply.content == ""
        assert set(call.arguments) == ARGUMENTS[call.name]
        if call.name == "submit_answer":
            assert call.arguments["unit"] in UNITS


@pytest.mark.parametrize("template", ["crossfoot", "qwen3_5_nothink"])
def test_a_truncated_reply_is_flagged(template):
    for reply in replies(template, 6, seeds=range(2)):
        assert not reply.finished
        assert reply.reply.calls == ()
        assert reply.reply.malformed or "<tool_call>".startswith(reply.text)


def forced_text(template, text):
    """What the engine writes when a model would write ``text`` and the grammar has its say."""
    chat = Chat(tiny.tokenizer(template))
    wanted = chat.tokenizer(text, add_special_tokens=False)["input_ids"] + [chat.end_id]
    grammar = call_constraint(chat)

    def constraint(width):
        inner = grammar(width)

        def prefer(input_ids, scores):
            place = input_ids.shape[1] - width
            scores[0, wanted[min(place, len(wanted) - 1)]] += 1e4
            return inner(input_ids, scores)

        return prefer

    engine = TransformersEngine(tiny.llama(), chat, constraint=constraint)
    return engine.generate([[user("what?")]], 200)[0]


@pytest.mark.parametrize(
    ("template", "opening", "closing"),
    [
        (
            "crossfoot",
            '<tool_call>\n{"name": "calculate", "arguments": {"expression": "',
            '"}}\n</tool_call>',
        ),
        (
            "qwen3_5_nothink",
            "<tool_call>\n<function=calculate>\n<parameter=expression>\n",
            "\n</parameter>\n</function>\n</tool_call>",
        ),
    ],
)
@pytest.mark.parametrize("expression", ["(5829 - 5735) / 5735", "-26 * 27%", "5829 >= 5735"])
def test_what_a_good_model_writes_passes_unchanged(template, opening, closing, expression):
    reply = forced_text(template, f"{opening}{expression}{closing}")
    assert reply.finished
    assert reply.reply.calls[0].arguments == {"expression": expression}
    assert calculate(expression)


@pytest.mark.parametrize("value", ["94.0", "-0.01639", "yes", "5829"])
def test_every_kind_of_answer_can_be_submitted(value):
    text = (
        '<tool_call>\n{"name": "submit_answer", "arguments": '
        f'{{"value": "{value}", "unit": "fraction"}}}}\n</tool_call>'
    )
    (call,) = forced_text("crossfoot", text).reply.calls
    assert call.arguments["value"] == value
    assert parse_answer(value, "fraction") is not None


def test_text_before_a_call_is_not_allowed():
    reply = forced_text("crossfoot", "Let me think about that first.")
    assert reply.text.startswith("<tool_call>")
