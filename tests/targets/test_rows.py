"""Targets: what bears loss, and that its prefix is what inference sends."""

import pytest

import tiny
from crossfoot.agent.loop import Setting, run_batch
from crossfoot.chat.template import Chat
from crossfoot.engines.local import TransformersEngine
from crossfoot.grading.answer import Gold
from crossfoot.targets.rows import build_rows, has_extension_property, merge, single_chain
from crossfoot.tasks.base import Sample, Turn

EXTENDS = {"crossfoot": True, "qwen2_5": True, "gemma3": True}


class _Forced:
    """Makes a model write given completions, one reply after another."""

    def __init__(self, rows, end_id):
        self.end_id = end_id
        self.completions = [row.completion_ids for row in rows]
        self.turn = -1
        self.place = 0

    def read(self, batch):
        pass

    def begin(self, row):
        self.turn += 1
        self.place = 0
        return []

    def accept(self, row, token):
        self.place += 1
        return []

    def adjust(self, row, scores):
        scores[:] = float("-inf")
        scores[self.completions[self.turn][self.place]] = 0.0


def watch(engine, forced):
    """What the model has been given where the first token of each reply is chosen."""
    context, given = [], []

    def note(module, inputs, options):
        cache = options["past_key_values"]
        kept = context[: cache.get_seq_length() if cache is not None else 0]
        context[:] = [*kept, *options["input_ids"][0].tolist()]

    def adjust(row, scores):
        if forced.place == 0:
            given.append(list(context))
        choose(row, scores)

    engine.model.register_forward_pre_hook(note, with_kwargs=True)
    choose, forced.adjust = forced.adjust, adjust
    return given


@pytest.mark.parametrize("name", tiny.TEMPLATES)
@pytest.mark.parametrize(
    ("way", "form"),
    [
        ("generate", "short"),
        ("own loop", "short"),
        ("own loop with kept pages", "short"),
        ("own loop", "grounded"),
        ("own loop", "ranked"),
        ("own loop", "chosen"),
    ],
)
def test_every_prefix_equals_what_the_model_is_given(name, way, form):
    chat = Chat(tiny.tokenizer(name))
    rows = build_rows([tiny.sample()], chat, form)
    forced = _Forced(rows, chat.end_id)
    engine = TransformersEngine(tiny.llama(), chat, reuse="kept" in way, steering=forced)
    engine.plain = way != "generate"
    given = watch(engine, forced)
    (transcripts,) = run_batch([tiny.sample()], engine, Setting(form))
    assert [turn.submission.answer is not None for turn in transcripts] == [True] * 4
    assert given == [list(row.prompt_ids) for row in rows]


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_a_looked_up_turn_has_one_target_and_a_computed_one_two(name):
    chat = Chat(tiny.tokenizer(name))
    rows = build_rows([tiny.sample()], chat, "short")
    texts = [chat.tokenizer.decode(row.completion_ids) for row in rows]
    names = ["submit_answer" if "submit_answer" in text else "calculate" for text in texts]
    computed = ["calculate", "submit_answer"]
    assert names == ["submit_answer", *computed, *computed, *computed]


@pytest.mark.parametrize("form", ["grounded", "chosen"])
def test_no_target_quotes_a_sentence_that_its_prompt_does_not_show(form):
    chat = Chat(tiny.tokenizer())
    asked = Turn("revenue in 2016?", Gold(97.5, "97.5", "absolute", page=tiny.page()))
    rows = build_rows([Sample("ours-2", tiny.page(), (asked,))], chat, form)
    quote = "text: cash paid for interest was $ 121.1 in 2016 and $ 97.5"
    replies = [chat.parse(chat.tokenizer.decode(row.completion_ids[:-1])) for row in rows]
    told = {"grounded": [f"Cells: {quote}"], "chosen": []}
    assert [reply.content.strip() for reply in replies] == told[form]


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_every_completion_ends_with_the_end_of_turn_and_reads_back(name):
    chat = Chat(tiny.tokenizer(name))
    for row in build_rows([tiny.sample()], chat, "short"):
        assert row.completion_ids[-1] in chat.stop_ids
        text = chat.tokenizer.decode(row.completion_ids[:-1])
        reply = chat.parse(text)
        assert len(reply.calls) == 1
        assert not reply.malformed


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_the_extension_property_is_measured(name):
    rows = build_rows([tiny.sample()], Chat(tiny.tokenizer(name)), "short")
    assert has_extension_property(rows) == EXTENDS.get(name, False)


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_merged_chains_bear_loss_on_the_same_tokens_after_the_same_prefixes(name):
    rows = build_rows([tiny.sample()], Chat(tiny.tokenizer(name)), "short")

    def predictions(chains):
        return sorted(
            chain.ids[: place + 1]
            for chain in chains
            for place, bears in enumerate(chain.loss_mask)
            if bears
        )

    assert predictions(merge(rows)) == predictions([single_chain(row) for row in rows])


def test_rows_of_different_conversations_are_not_merged():
    chat = Chat(tiny.tokenizer())
    rows = [row for n in ("a", "b") for row in build_rows([tiny.sample(n)], chat, "short")]
    assert len(merge(rows)) == 2
