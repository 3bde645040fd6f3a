"""Chat templates: prompts, completions, tools as text, ends of turn."""

import pytest

import tiny
from crossfoot.chat.messages import assistant, call, system, tool_result, user
from crossfoot.chat.template import Chat, tools_as_text
from crossfoot.errors import ModelError
from crossfoot.targets.conversation import conversation_messages

ENDS = {"gemma3": "<end_of_turn>"}
EXCHANGE = [
    system("instructions"),
    user("how much?"),
    call("calculate", expression="1 + 2"),
    tool_result("calculate", "3.0"),
    call("submit_answer", value="3.0", unit="absolute"),
]


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_a_prompt_holds_tools_page_and_question_and_ends_where_the_assistant_begins(name):
    chat = Chat(tiny.tokenizer(name))
    messages = conversation_messages(tiny.sample(), "short")[:2]
    question = tiny.sample().turns[0].question
    text = chat.prompt_text(messages)
    for part in ("<document>", "revenue", "submit_answer", "yes_no", question):
        assert part in text
    opening = "<start_of_turn>model" if name == "gemma3" else "<|im_start|>assistant"
    assert text.rindex(opening) > text.rindex(question)
    assert text.endswith(("\n", "</think>"))


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_prompt_ids_are_those_of_the_prompt_text_and_of_the_template_itself(name):
    chat = Chat(tiny.tokenizer(name))
    messages = conversation_messages(tiny.sample(), "short")[:3]
    ids = chat.prompt_ids(messages)
    assert chat.tokenizer.decode(ids) == chat.prompt_text(messages)
    assert ids.count(chat.tokenizer.bos_token_id) == chat.prompt_text(messages).count(
        chat.tokenizer.bos_token
    )


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_prompt_and_completion_are_what_the_template_renders_for_the_whole(name):
    chat = Chat(tiny.tokenizer(name))
    for end in (3, 5):
        whole = chat._render(EXCHANGE[:end], add_generation_prompt=False)
        text = chat.prompt_text(EXCHANGE[: end - 1]) + chat.completion_text(EXCHANGE[:end])
        assert whole.rstrip() == text


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_a_completion_ends_with_the_templates_end_of_turn(name):
    chat = Chat(tiny.tokenizer(name))
    end = chat.tokenizer.convert_tokens_to_ids(ENDS.get(name, "<|im_end|>"))
    assert chat.completion_ids(EXCHANGE)[-1] == end == chat.end_id
    assert chat.stop_ids == {end, chat.tokenizer.eos_token_id}


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_a_call_that_the_template_writes_is_read_back(name):
    chat = Chat(tiny.tokenizer(name))
    text = chat.completion_text(EXCHANGE).removesuffix(ENDS.get(name, "<|im_end|>"))
    (read,) = chat.parse(text).calls
    assert (read.name, read.arguments) == ("submit_answer", {"value": "3.0", "unit": "absolute"})


@pytest.mark.parametrize("name", ["qwen3", "qwen3_5_nothink"])
def test_thinking_is_switched_off_where_there_is_a_switch(name):
    text = Chat(tiny.tokenizer(name)).prompt_text(EXCHANGE[:2])
    assert text.endswith("<think>\n\n</think>\n\n")


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_the_syntax_is_that_of_the_template(name):
    chat = Chat(tiny.tokenizer(name))
    assert chat.syntax == ("qwen_xml" if name.startswith("qwen3_5") else "hermes")
    assert chat.knows_tools == (name != "gemma3")


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_a_question_after_an_unanswered_turn_can_be_rendered(name):
    chat = Chat(tiny.tokenizer(name))
    two_calls = call("calculate", expression="1 / 0")
    two_calls["tool_calls"] *= 2
    results = [tool_result("calculate", "error: division by zero")] * 2
    text = chat.prompt_text([*EXCHANGE[:2], two_calls, *results, user("and so?")])
    assert text.count("division by zero") == 2
    assert "and so?" in text


def test_tools_become_text_for_a_template_without_them():
    plain = tools_as_text([*EXCHANGE, user("why?")])
    assert [message["role"] for message in plain] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert '"name": "calculate"' in plain[0]["content"]
    assert plain[2]["content"].startswith('<tool_call>\n{"name": "calculate"')
    assert plain[3]["content"] == "<tool_response>\n3.0\n</tool_response>"


def test_user_messages_that_follow_each_other_become_one():
    plain = tools_as_text([tool_result("calculate", "3.0"), user("why?"), assistant("because")])
    assert [message["role"] for message in plain] == ["user", "assistant"]
    assert plain[0]["content"] == "<tool_response>\n3.0\n</tool_response>\nwhy?"


def test_a_tokenizer_without_a_template_is_refused_with_advice():
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(ModelError, match="instruction-tuned"):
        Chat(tokenizer)


def test_a_template_that_rewrites_history_cannot_be_trained_on():
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = (
        "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}"
    )
    with pytest.raises(ModelError, match="continuation of its generation prompt"):
        Chat(tokenizer).completion_text([user("a"), assistant("b")])


def test_a_template_that_opens_a_thinking_block_gets_targets_that_close_it():
    """DeepSeek-R1-Distill: the prompt ends in an open block, the history shows none."""
    chat = Chat(tiny.tokenizer("deepseek_r1_distill"))
    messages = conversation_messages(tiny.sample(), "short")
    prompt, completion = chat.prompt_text(messages[:2]), chat.completion_text(messages[:3])
    assert prompt.endswith("<｜Assistant｜><think>\n")
    assert completion.startswith("\n</think>\n\n<tool_call>\n{")
    assert completion.endswith("</tool_call><｜end▁of▁sentence｜>")
    later = chat.prompt_text(messages[:4])
    assert completion.removeprefix("\n</think>\n\n") in later
    assert later.count("<think>") == 1
    reply = chat.parse(completion.removesuffix("<｜end▁of▁sentence｜>"))
    assert (reply.content, [call.name for call in reply.calls]) == ("", ["submit_answer"])


def test_thinking_of_other_templates_is_left_as_it_is():
    chat = Chat(tiny.tokenizer("qwen3"))
    assert not chat.opens_thinking
    assert chat.parse("<think>\nhm\n</think>\n\nno").content == "<think>\nhm\n</think>\n\nno"
