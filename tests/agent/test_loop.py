"""The agent: tools, limits, histories, and models that misbehave."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny
from crossfoot.agent.loop import Limits, Setting, run_batch
from crossfoot.chat.template import Chat
from crossfoot.grading.verdict import grade
from crossfoot.targets.conversation import conversation_messages, turn_messages
from crossfoot.tasks.base import Sample
from scripted import SECONDS, Scripted, called, submitted

MALFORMED = '<tool_call>\n{"name": "calculate"'


def one_turn(place=0):
    whole = tiny.sample()
    return Sample(whole.sample_id, whole.page, (whole.turns[place],))


def answered(*texts, place=0, **setting):
    """The one turn's transcript and verdict, where the model says ``texts``."""
    sample = one_turn(place)
    engine = Scripted(*texts)
    ((transcript,),) = run_batch([sample], engine, Setting(**setting))
    return transcript, grade(transcript.submission, sample.turns[0].gold), engine


def results(transcript):
    return [message["content"] for message in transcript.messages if message["role"] == "tool"]


def gold_reply(messages):
    """What the gold conversation says next, as the text of a call."""
    gold = [m for m in conversation_messages(tiny.sample(), "short") if m["role"] != "system"]
    said = [m for m in messages if m["role"] != "system"]
    function = gold[len(said)]["tool_calls"][0]["function"]
    return called(function["name"], **function["arguments"])


def test_a_model_that_says_the_gold_replies_is_right_in_every_turn():
    sample = tiny.sample()
    (transcripts,) = run_batch([sample], Scripted(reply=gold_reply), Setting())
    pairs = zip(transcripts, sample.turns, strict=True)
    assert all(grade(t.submission, turn.gold).correct for t, turn in pairs)
    whole = [message for transcript in transcripts for message in transcript.messages]
    assert whole == conversation_messages(sample, "short")[1:]


def test_a_turn_is_a_calculation_and_its_result_then_an_answer():
    transcript, verdict, _ = answered(
        called("calculate", expression="5829 - 5735"), submitted("94.0"), place=1
    )
    assert verdict.correct
    assert [m["role"] for m in transcript.messages] == ["user", "assistant", "tool", "assistant"]
    assert results(transcript) == ["94.0"]
    assert transcript.submission.expressions == ("5829 - 5735",)
    assert (transcript.prompt_tokens, transcript.completion_tokens) == (20, 10)
    assert transcript.seconds == 2 * SECONDS


@pytest.mark.parametrize("expression", ["1 / 0", "import os", "9**9**9", "", "(" * 5000, "nan"])
def test_what_the_calculator_refuses_goes_back_to_the_model_as_text(expression):
    transcript, verdict, engine = answered(
        called("calculate", expression=expression), submitted("5829")
    )
    (result,) = results(transcript)
    assert result.startswith("error: ")
    assert len(result) < 200
    assert engine.seen[1][-1]["content"] == result
    assert transcript.submission.expressions == ()
    assert verdict.correct


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (called("lookup", row="revenue"), "no such tool"),
        (called("calculate", expr="1 + 2"), "one text argument, expression"),
        (called("calculate", expression=["1 + 2"]), "one text argument, expression"),
        (called("submit_answer", value="5829", unit="dollars"), "unit one of fraction, percent"),
        (called("submit_answer", value="5829"), "unit one of fraction, percent"),
        (called("submit_answer", value="lots", unit="absolute"), "must be a number"),
        (called("submit_answer", value="yes", unit=None), "unit one of fraction, percent"),
    ],
)
def test_a_call_that_cannot_be_done_is_told_to_the_model_which_may_do_better(text, told):
    transcript, verdict, engine = answered(text, submitted("5829"))
    (result,) = results(transcript)
    assert result.startswith("error: ")
    assert told in result
    assert engine.seen[1][-1] == transcript.messages[2]
    assert verdict.correct


def test_a_turn_without_submit_answer_is_no_answer():
    transcript, verdict, _ = answered("the revenue was 5829")
    assert transcript.submission.answer is None
    assert not verdict.correct
    assert verdict.error == "no_answer"
    assert transcript.messages[-1] == {"role": "assistant", "content": "the revenue was 5829"}


def test_a_call_that_cannot_be_read_is_malformed():
    transcript, verdict, _ = answered(MALFORMED)
    assert transcript.submission.malformed
    assert verdict.error == "malformed_call"
    assert transcript.messages[-1] == {"role": "assistant", "content": MALFORMED}


def test_calls_of_one_turn_are_bounded():
    sums = [called("calculate", expression=f"1 + {n}") for n in range(9)]
    transcript, verdict, engine = answered(*sums, limits=Limits(replies=3))
    assert len(engine.seen) == 3
    assert transcript.submission.expressions == ("1 + 0", "1 + 1", "1 + 2")
    assert verdict.error == "no_answer"


def test_several_calls_in_one_reply_are_done_in_order():
    text = "\n".join(
        [
            called("calculate", expression="5829 - 5735"),
            called("calculate", expression="94 / 5735"),
            submitted("94.0"),
            submitted("1.0"),
        ]
    )
    transcript, verdict, engine = answered(text, place=1)
    assert results(transcript) == ["94.0", "0.01639"]
    assert len(engine.seen) == 1
    assert transcript.submission.answer.value == 94.0
    assert verdict.correct


def test_own_history_holds_the_models_own_words():
    def reply(messages):
        asked = sum(message["role"] == "user" for message in messages)
        return submitted(str(asked)) if asked != 2 else "I do not know"

    engine = Scripted(reply=reply)
    run_batch([tiny.sample()], engine, Setting(history="own"))
    said = [m for m in engine.seen[-1] if m["role"] == "assistant"]
    values = [m["tool_calls"][0]["function"]["arguments"]["value"] for m in (said[0], said[2])]
    assert values == ["1", "3"]
    assert said[1]["content"] == "I do not know"


def test_gold_history_holds_the_gold_words_whatever_the_model_said():
    sample = tiny.sample()
    engine = Scripted(reply=lambda messages: submitted("1"))
    run_batch([sample], engine, Setting(history="gold"))
    earlier = [message for turn in sample.turns[:3] for message in turn_messages(turn)]
    assert engine.seen[-1][1:-1] == earlier
    assert engine.seen[-1][-1]["content"] == sample.turns[3].question


def test_few_shot_examples_stand_between_the_page_and_the_first_question():
    engine = Scripted(reply=gold_like)
    run_batch([one_turn()], engine, Setting(few_shot=True))
    first = engine.seen[0]
    assert first[0]["role"] == "system"
    assert first[-1]["content"] == one_turn().turns[0].question
    assert len(first) > 8


def gold_like(messages):
    return submitted("5829")


def test_conversations_of_a_batch_do_not_see_each_other_and_keep_their_order():
    samples = [tiny.sample("long"), one_turn(), tiny.sample("long too")]

    def reply(messages):
        return submitted(str(sum(message["role"] == "user" for message in messages)))

    engine = Scripted(reply=reply)
    batch = run_batch(samples, engine, Setting())
    alone = [run_batch([sample], engine, Setting())[0] for sample in samples]
    assert batch == alone
    assert [len(transcripts) for transcripts in batch] == [4, 1, 4]
    assert engine.batches == 4


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["calculate", "submit_answer", "lookup", ""]),
    st.dictionaries(st.sampled_from(["expression", "value", "unit", "x"]), VALUES, max_size=4),
)
def test_no_arguments_make_a_turn_raise(name, arguments):
    transcript, _, _ = answered(called(name, **arguments), submitted("5829"))
    for message in transcript.messages:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
        assert json.loads(text) == message


DEEP = '{"a":' * 400 + "1" + "}" * 400
HOSTILE = [
    called("calculate", expression="1" * 90_000),
    called("submit_answer", value="9" * 5000, unit="absolute"),
    called("calculate", expression={"expression": "1"}),
    called("submit_answer", value={"a": [1, 2]}, unit=["absolute"]),
    called("<|im_end|>", value=1),
    '<tool_call>{"name": "calculate", "arguments": {"expression": "\\ud800"}}</tool_call>',
    '<tool_call>{"name": "submit_answer", "arguments": {"value": NaN, "unit": 1}}</tool_call>',
    '<tool_call>{"name": "submit_answer", "arguments": {"value": 1e999, "unit": 1}}</tool_call>',
    f'<tool_call>{{"name": "calculate", "arguments": {DEEP}}}</tool_call>',
    '<tool_call>{"name": "submit_answer", "arguments": {"value": ' + "9" * 5000 + "}}</tool_call>",
    "<tool_call>" * 3000,
    called("calculate", expression="1") * 50,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_hostile_replies_neither_raise_nor_break_the_next_prompt(text, name):
    chat = Chat(tiny.tokenizer(name))
    transcript, _, engine = answered(text, *[submitted("5829")] * 3)
    question = {"role": "user", "content": "and then?"}
    chat.prompt_text([*engine.seen[0], *transcript.messages[1:], question])
    for message in transcript.messages:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
        assert json.loads(text) == message
