"""The OpenVINO engine on random models, against the transformers engine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import portable
import tiny
from crossfoot.arithmetic.program import parse
from crossfoot.chat.messages import system, user
from crossfoot.chat.prompt import PromptForm, question_message, system_message
from crossfoot.chat.template import Chat
from crossfoot.engines.build import Wanted, build_engine, default_engine
from crossfoot.engines.local import TransformersEngine
from crossfoot.engines.openvino import WORTH_SENDING, OpenVinoEngine, gguf_file, prefixes_to_send
from crossfoot.engines.pagecache import common_prefix
from crossfoot.errors import CrossfootError, ModelError
from crossfoot.models.loading import load_model
from crossfoot.targets.grounding import false_cells
from crossfoot.targets.single import Target

pytest.importorskip("openvino_genai")
CHAT = Chat(tiny.tokenizer())


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model sharp enough that bfloat16 does not change its replies."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    weights = tiny.llama() if request.param == "llama" else portable.qwen2()
    torch.nn.init.normal_(weights.get_input_embeddings().weight, std=1.0)
    weights.save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def engine(model: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenVinoEngine:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSFOOT_CACHE", str(tmp_path_factory.mktemp("cache")))
        return OpenVinoEngine(gguf_file(str(model), None), CHAT)


CONVERSATIONS = [
    [system("Answer questions about this page. " + page), user(question)]
    for page in ("revenue 2016 " * 40, "net debt 2015 " * 60)
    for question in ("what was it in 2016?", "and in 2015?", "by how much did it change?")
]


def test_it_says_what_transformers_says(model: Path, engine: OpenVinoEngine) -> None:
    expected = TransformersEngine(load_model(str(model), dtype="float32"), CHAT).generate(
        CONVERSATIONS, 8
    )
    found = engine.generate(CONVERSATIONS, 8)
    assert [reply.text for reply in found] == [reply.text for reply in expected]
    assert [reply.completion_tokens for reply in found] == [
        reply.completion_tokens for reply in expected
    ]
    assert [reply.prompt_tokens for reply in found] == [reply.prompt_tokens for reply in expected]
    assert [reply.finished for reply in found] == [reply.finished for reply in expected]


def test_replies_do_not_depend_on_what_is_kept(engine: OpenVinoEngine) -> None:
    first = engine.generate(CONVERSATIONS, 8)
    engine.new_batch()
    again = [engine.generate([conversation], 8)[0] for conversation in reversed(CONVERSATIONS)]
    assert [reply.text for reply in first] == [reply.text for reply in reversed(again)]


def test_a_reply_ends_with_the_templates_end_of_turn(model: Path, engine: OpenVinoEngine) -> None:
    ids = [
        token
        for reply in engine.generate(CONVERSATIONS, 40)
        for token in CHAT.tokenizer(reply.text)["input_ids"]
    ]
    assert not CHAT.stop_ids.intersection(ids)


def test_a_prompt_beyond_the_context_is_refused(engine: OpenVinoEngine) -> None:
    with pytest.raises(ModelError, match=f"context of {engine.context}"):
        engine.generate(CONVERSATIONS, engine.context)


def test_the_file_is_written_once_for_the_same_weights(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path))
    first = gguf_file(str(model), None)
    written = first.stat().st_mtime_ns
    assert gguf_file(str(model), None) == first
    assert first.stat().st_mtime_ns == written
    tiny.llama(seed=5).save_pretrained(tmp_path / "other" / model.name)
    tiny.tokenizer().save_pretrained(tmp_path / "other" / model.name)
    assert gguf_file(str(tmp_path / "other" / model.name), None) != first


def test_a_format_of_regular_expressions_is_refused(model: Path) -> None:
    with pytest.raises(CrossfootError, match="to this format"):
        build_engine("openvino", Wanted(str(model), constrained=True))
    assert default_engine(Wanted(str(model), constrained=True)) == "transformers"


@pytest.mark.parametrize(("target", "form"), [("tool", "ranked"), ("program", "short")])
def test_what_it_says_is_held_to_the_page(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target, form: PromptForm
) -> None:
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path))
    wanted = Wanted(str(model), constrained=True, target=target, prompt=form)
    assert default_engine(wanted) == "openvino"
    held = build_engine("openvino", wanted)
    page = tiny.page()
    asked = [[system_message(page, form), question_message(page, ["?"], form)]]
    (reply,) = held.generate(asked, 400)
    if target == "program":
        assert parse(reply.text)
    else:
        assert not false_cells(reply.reply.content, page)
        assert reply.reply.calls or not reply.finished


def test_a_file_that_openvino_cannot_read_is_one_line(tmp_path: Path) -> None:
    portable.gemma().save_pretrained(tmp_path / "gemma")
    portable.sentencepiece().save_pretrained(tmp_path / "gemma")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSFOOT_CACHE", str(tmp_path))
        with pytest.raises(ModelError, match="OpenVINO reads no GGUF of gemma3"):
            build_engine("openvino", Wanted(str(tmp_path / "gemma")))


_IDS = st.lists(st.sampled_from([0, 1]), min_size=0, max_size=4).map(
    lambda parts: [token for part in parts for token in [part] * WORTH_SENDING]
)


@given(st.lists(_IDS, min_size=1, max_size=6), st.lists(_IDS, max_size=3))
def test_after_the_rounds_no_two_prompts_share_what_was_not_sent(
    prompts: list[list[int]], sent: list[list[int]]
) -> None:
    known = [list(ids) for ids in sent]
    for round_ in prefixes_to_send(prompts, sent):
        for ids in round_:
            assert any(prompt[: len(ids)] == ids for prompt in prompts)
            assert len(ids) - max((common_prefix(ids, k) for k in known), default=0) >= (
                WORTH_SENDING
            )
        known += round_
    for place, one in enumerate(prompts):
        for other in prompts[place + 1 :]:
            shared = one[: common_prefix(one, other)]
            best = max((common_prefix(shared, k) for k in known), default=0)
            assert len(shared) - best < WORTH_SENDING


def test_it_is_the_default_on_a_cpu_for_models_that_it_reads(model: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    portable.gemma().save_pretrained(tmp_path)
    assert default_engine(Wanted(str(model))) == "openvino"
    assert default_engine(Wanted(str(model), constrained=True)) == "transformers"
    assert default_engine(Wanted(str(tmp_path))) == "transformers"
