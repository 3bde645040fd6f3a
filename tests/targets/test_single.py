from __future__ import annotations

from dataclasses import replace

import pytest

import tiny
from crossfoot.chat.template import Chat
from crossfoot.errors import DataError, RecipeError
from crossfoot.targets.context import ContextOptions, choose_context
from crossfoot.targets.dataset import build_dataset
from crossfoot.targets.single import TARGETS, Target, example, prompts_and_targets
from crossfoot.tasks.base import Sample

PROGRAM = "subtract(5829, 5735), divide(#0, 5735)"
ALL = ContextOptions("all")


def growth(text: str = "1.6%") -> Sample:
    whole = tiny.sample()
    turn = whole.turns[2]
    assert turn.gold is not None
    return Sample("ours-3", whole.page, (replace(turn, gold=replace(turn.gold, text=text)),))


def made(target: Target, chat: Chat | None) -> list[tuple[str, str]]:
    sample = growth()
    return prompts_and_targets(example(sample, choose_context(sample, ALL), target), chat)


@pytest.mark.parametrize(
    ("target", "text"), [("program", PROGRAM), ("numerical", "0.01639"), ("answer", "1.6%")]
)
def test_a_base_prompt_ends_where_its_target_begins(target: Target, text: str) -> None:
    ((prompt, written),) = made(target, None)
    assert written == text
    assert prompt.endswith(f"Question: as a percentage?\n{prompt.rsplit(chr(10), 2)[1]}\n")
    assert prompt.endswith(":\n")
    assert "| revenue | 5829 | 5735 |" in prompt


@pytest.mark.parametrize("name", tiny.TEMPLATES)
@pytest.mark.parametrize("target", ["program", "numerical", "answer"])
def test_prompt_and_target_are_what_the_template_renders_and_no_tool_is_offered(
    name: str, target: Target
) -> None:
    chat = Chat(tiny.tokenizer(name), tools=False)
    ((prompt, written),) = made(target, chat)
    sample = growth()
    one = example(sample, choose_context(sample, ALL), target)
    whole = chat._render(one.messages, add_generation_prompt=False)
    assert whole.startswith(prompt + written)
    assert one.messages[-1]["content"] in written
    assert "submit_answer" not in whole
    assert "as a percentage?" in prompt


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_tool_targets_are_a_line_for_each_call(name: str) -> None:
    (_, first), (prompt, second) = made("tool", Chat(tiny.tokenizer(name)))
    assert "(5829 - 5735) / 5735" in first
    assert "0.01639" in prompt
    assert "submit_answer" in second


def test_tool_targets_need_a_chat_template() -> None:
    with pytest.raises(RecipeError, match="chat template"):
        made("tool", None)


def test_a_template_that_refuses_a_system_message_gets_it_from_the_user() -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}<end>\n{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    chat = Chat(tokenizer, tools=False)
    assert not chat.has_system_role
    ((prompt, written),) = made("program", chat)
    assert prompt.startswith("<user>Answer a question")
    assert prompt.endswith("as a percentage?<end>\n<assistant>")
    assert prompt.count("<user>") == 1
    assert written.startswith(PROGRAM)


def test_a_template_that_drops_the_system_message_gets_it_from_the_user() -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m['role'] != 'system' %}<{{ m['role'] }}>{{ m['content'] }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    ((prompt, _),) = made("numerical", Chat(tokenizer, tools=False))
    assert "Reply with the number only." in prompt


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_the_templates_of_known_families_have_a_system_role(name: str) -> None:
    assert Chat(tiny.tokenizer(name)).has_system_role


def test_what_has_no_target_or_evidence_is_left_out_and_counted() -> None:
    good, silent = growth(), replace(growth(text=""), sample_id="silent")
    turn = good.turns[0]
    assert turn.gold is not None
    lost = replace(turn, gold=replace(turn.gold, program="add(7, 8)"))
    wrong = replace(turn, gold=replace(turn.gold, evidence=("table_99",)))
    samples = [
        good,
        silent,
        replace(good, sample_id="lost", turns=(lost,)),
        replace(good, sample_id="unlabelled", turns=(replace(turn, gold=None),)),
        replace(good, sample_id="wrong", turns=(wrong,)),
    ]
    built = build_dataset(samples, "answer", ContextOptions("gold"), None, skip_bad=True)
    assert [line["id"] for line in built.lines] == ["ours-3"]
    assert built.counts()["left_out"] == {
        "without answer string": 1,
        "without evidence": 1,
        "without label": 1,
        "with wrong evidence": 1,
    }
    with pytest.raises(DataError, match=r"record wrong, field qa\.gold_inds"):
        build_dataset(samples, "answer", ContextOptions("all"), None)
    with pytest.raises(DataError, match="no question is left: 1 without answer string"):
        build_dataset([silent], "answer", ContextOptions("all"), None)


def test_conversations_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"has 4 turns; .* single questions"):
        build_dataset([tiny.sample()], "program", ALL, None)


def test_targets_are_those_of_the_lab() -> None:
    assert TARGETS == ("program", "numerical", "answer", "tool")
