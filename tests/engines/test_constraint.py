"""Output under the grammar: one readable call of a known tool, whatever the model."""

import os

import pytest

import tiny
from crossfoot.arithmetic.calculator import calculate
from crossfoot.chat.messages import user
from crossfoot.chat.template import Chat
from crossfoot.engines.constraint import constraint_for
from crossfoot.engines.decoding import SWITCH
from crossfoot.engines.local import TransformersEngine
from crossfoot.grading.answer import UNITS, parse_answer

pytest.importorskip("llguidance")
ARGUMENTS = {"calculate": {"expression"}, "submit_answer": {"value", "unit"}}


def replies(template, new_tokens, seeds=range(4)):
    chat = Chat(tiny.tokenizer(template))
    for seed in seeds:
        constraint = constraint_for(chat, "tool")
        engine = TransformersEngine(tiny.llama(seed), chat, steering=constraint)
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


class Preferring:
    """A constraint for a model that would write ``wanted``."""

    def __init__(self, inner, wanted):
        self.inner = inner
        self.wanted = wanted
        self.place = 0
        self.decoded = 0

    def read(self, batch):
        self.inner.read(batch)

    def begin(self, row):
        tokens = self.inner.begin(row)
        self.place = len(tokens)
        return tokens

    def accept(self, row, token):
        tokens = self.inner.accept(row, token)
        self.place += 1 + len(tokens)
        return tokens

    def adjust(self, row, scores):
        self.decoded += 1
        scores[self.wanted[min(self.place, len(self.wanted) - 1)]] += 1e4
        self.inner.adjust(row, scores)


def preferring(template, text):
    chat = Chat(tiny.tokenizer(template))
    wanted = chat.tokenizer(text, add_special_tokens=False)["input_ids"] + [chat.end_id]
    return chat, Preferring(constraint_for(chat, "tool"), wanted)


def forced_text(template, text):
    """What the engine writes when a model would write ``text`` and the grammar has its say."""
    chat, constraint = preferring(template, text)
    engine = TransformersEngine(tiny.llama(), chat, steering=constraint)
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


CALL = (
    '<tool_call>\n{"name": "calculate", "arguments": {"expression": "5829 - 5735"}}\n</tool_call>'
)


def test_what_the_format_dictates_is_appended_in_the_tokens_of_training():
    chat, constraint = preferring("crossfoot", CALL)
    engine = TransformersEngine(tiny.llama(), chat, steering=constraint)
    reply = engine.generate([[user("what?")]], 200)[0]
    trained = chat.tokenizer(CALL, add_special_tokens=False)["input_ids"]
    assert reply.text == CALL
    assert reply.completion_tokens == len(trained) + 1
    assert constraint.decoded < len(trained) / 2


@pytest.mark.parametrize("template", ["crossfoot", "qwen3_5_nothink"])
def test_appended_or_decoded_one_by_one_the_reply_is_the_same(template):
    """Batches of several rows, against transformers' own ``generate``."""
    chat = Chat(tiny.tokenizer(template))
    prompts = [[user(text)] for text in ("one?", "another one, a longer one", "and a third")]
    seen = set()
    for seed in range(3):
        texts = []
        model = tiny.sharp_llama(seed)
        for plain in (True, False):
            engine = TransformersEngine(model, chat, steering=constraint_for(chat, "tool"))
            engine.plain = plain
            texts.append([(r.text, r.completion_tokens) for r in engine.generate(prompts, 120)])
        assert texts[0] == texts[1]
        seen.update(texts[0])
    assert len(seen) > 3


def test_on_a_cpu_cached_keys_are_not_copied_for_each_query_head(monkeypatch):
    monkeypatch.delenv(SWITCH, raising=False)
    copied = []

    def repeat(states, groups):
        copied.append(tuple(states.shape))
        return states.repeat_interleave(groups, dim=1)

    monkeypatch.setattr("transformers.integrations.sdpa_attention.repeat_kv", repeat)
    chat = Chat(tiny.tokenizer())
    prompts = [[user("one?")], [user("another one")]]
    texts = []
    for plain in (True, False):
        engine = TransformersEngine(tiny.llama(), chat, steering=constraint_for(chat, "tool"))
        engine.plain = plain
        copied.clear()
        texts.append([reply.text for reply in engine.generate(prompts, 40)])
        assert bool(copied) is not plain
    assert texts[0] == texts[1]
    assert SWITCH not in os.environ
