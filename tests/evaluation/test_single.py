"""Single questions: what is sent is what was trained on, and one reply is graded as any other."""

from __future__ import annotations

import json

import pytest

import filings
import tiny
from crossfoot.agent.loop import Setting, run_batch
from crossfoot.engines.local import TransformersEngine
from crossfoot.errors import RecipeError
from crossfoot.evaluation.evaluate import evaluate, one_engine
from crossfoot.evaluation.gold import read_gold
from crossfoot.evaluation.matrix import score
from crossfoot.evaluation.metrics import summarise
from crossfoot.evaluation.predictions import match
from crossfoot.grading.verdict import grade
from crossfoot.runs.folder import RunFolder
from crossfoot.targets.context import INPUTS, ContextOptions
from crossfoot.targets.rows import single_rows
from crossfoot.targets.single import TARGETS, Single, chat_for, reason_not_to_ask
from crossfoot.tasks.finqa import read_finqa
from scripted import Scripted

PROGRAM = "subtract(5829, 5735), divide(#0, 5735)"
STYLES = [(name, "instruct") for name in tiny.TEMPLATES] + [("crossfoot", "base")]


@pytest.fixture
def gold(tmp_path):
    """Five questions on two pages, the third of which names no evidence."""
    records = [filings.finqa_record(number) for number in range(5)]
    records[2] = filings.finqa_record(2, gold_inds={}, program="add(7, 8)", exe_ans=15)
    for record in records[3:]:
        record["filename"] = "OURS/2017/page_9.pdf"
    return filings.write(tmp_path / "dev.json", records)


class Dictated:
    """Makes a model write given completions, and notes what it was asked."""

    def __init__(self, rows, stop):
        self.rows, self.stop = rows, stop
        self.asked = -1
        self.place = 0

    def read(self, batch):
        self.asked += 1

    def begin(self, row):
        self.place = 0
        return []

    def accept(self, row, token):
        self.place += 1
        return []

    def adjust(self, row, scores):
        scores[:] = float("-inf")
        scores[self.rows[self.asked].completion_ids[self.place]] = 0.0


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("template", "style"), STYLES)
def test_the_prefix_of_every_target_is_what_inference_sends(gold, target, template, style):
    if (target, style) == ("tool", "base"):
        pytest.skip("base models call no tools")
    chat = chat_for(tiny.tokenizer(template), target, style)
    sample = read_finqa(gold)[0]
    for input, form in [*((input, "short") for input in INPUTS), ("all", "labelled")]:
        single = Single(target, ContextOptions(input))
        rows = single_rows(sample, single, chat, form)
        sent = []
        engine = TransformersEngine(tiny.llama(), chat, steering=Dictated(rows, chat.end_id))
        plain = engine._decode
        engine._decode = lambda prompts, most, sent=sent, plain=plain: (
            sent.extend(map(tuple, prompts)) or plain(prompts, most)
        )
        ((transcript,),) = run_batch([sample], engine, Setting(form, single=single))
        assert sent == [row.prompt_ids for row in rows]
        assert grade(transcript.submission, sample.turns[0].gold).correct or target == "answer"
        if target == "program":
            assert transcript.prediction == PROGRAM


def evaluated(gold, folder, target, reply, input="all", **changes):
    samples = read_finqa(gold)
    single = Single(target, ContextOptions(input))
    samples = [sample for sample in samples if reason_not_to_ask(sample, single) is None]
    engine = Scripted(reply=reply)
    options = {"setting": Setting(single=single), "source": {"task": "finqa"}, "batch_size": 2}
    run = RunFolder(folder)
    predictions = evaluate(samples, one_engine(engine), run, **options | changes)
    return predictions, samples, single, engine


def test_programs_are_executed_and_failures_stay_in_the_denominator(gold, tmp_path):
    replies = iter([PROGRAM, f"\n{PROGRAM}\nExplanation", "no idea", "subtract(5829, 5735)", ""])
    predictions, samples, single, _ = evaluated(
        gold, tmp_path / "run", "program", lambda _: next(replies)
    )
    assert [one.prediction for one in predictions] == [
        PROGRAM,
        PROGRAM,
        "no idea",
        "subtract(5829, 5735)",
        "",
    ]
    assert [one.verdict.correct for one in predictions] == [True, True, False, False, False]
    metrics = summarise(predictions, samples, context=single.context)
    assert metrics["execution_accuracy"] == 0.4
    assert metrics["graders"]["official"]["total"] == 5
    assert metrics["program_accuracy"]["correct"] == 2
    assert metrics["program_validity"]["correct"] == 3
    assert metrics["unit_accuracy"] is None
    assert metrics["evidence_recall"] == 1
    assert metrics["evidence_cut_fraction"] == 0
    assert metrics["answer_accuracy"]["correct"] == 2


@pytest.mark.parametrize(
    ("target", "right", "wrong"),
    [("numerical", "0.01639", "0.01640"), ("answer", "1.6%", "1.7%"), ("numerical", "1.639%", "x")],
)
def test_numbers_and_answer_strings_are_graded(gold, tmp_path, target, right, wrong):
    replies = iter([right, wrong, wrong, right, right])
    predictions, samples, *_ = evaluated(gold, tmp_path / "run", target, lambda _: next(replies))
    metrics = summarise(predictions, samples)
    name = "execution_accuracy" if target == "numerical" else "answer_accuracy"
    found = metrics[name] if target == "numerical" else metrics[name]["correct"] / 5
    assert found == 0.6
    for of_programs in ("program_validity", "program_accuracy", "operands_named"):
        assert metrics[of_programs] is None


def test_questions_without_evidence_cannot_be_asked_of_gold_input(gold, tmp_path):
    _, samples, single, engine = evaluated(
        gold, tmp_path / "run", "program", lambda _: PROGRAM, "gold"
    )
    assert len(samples) == len(engine.seen) == 4
    assert "cash paid" not in engine.seen[0][0]["content"]
    assert single.context.needs_evidence


def test_an_interrupted_evaluation_goes_on_and_another_input_is_refused(gold, tmp_path):
    def failing(messages):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(messages)
        return PROGRAM

    seen = []
    with pytest.raises(KeyboardInterrupt):
        evaluated(gold, tmp_path / "run", "program", failing)
    lines = (tmp_path / "run" / "test_predictions.jsonl").read_text().splitlines()
    assert len(lines) == 2
    predictions, *_, engine = evaluated(gold, tmp_path / "run", "program", lambda _: PROGRAM)
    assert len(predictions) == 5
    assert len(engine.seen) == 3
    for target, input in (("numerical", "all"), ("program", "retrieved")):
        with pytest.raises(RecipeError, match="made with other settings"):
            evaluated(gold, tmp_path / "run", target, lambda _: PROGRAM, input)


def test_an_evaluation_from_before_there_was_a_choice_goes_on(gold, tmp_path):
    samples = read_finqa(gold)
    run = RunFolder(tmp_path / "run")
    options = {"setting": Setting(), "source": {"task": "finqa"}}
    evaluate(samples, one_engine(Scripted(reply=lambda _: "?")), run, **options)
    settings = run.read_json("evaluation.json")
    del settings["single"]
    run.write_json("evaluation.json", settings)
    assert len(evaluate(samples, one_engine(Scripted()), run, **options)) == len(samples)


def test_the_predictions_can_be_graded_again(gold, tmp_path):
    replies = iter([PROGRAM, "add(1, 2)", "add(7, 8)", PROGRAM, "?"])
    evaluated(gold, tmp_path / "run", "program", lambda _: next(replies))
    path = tmp_path / "run" / "test_predictions.jsonl"
    record = json.loads(path.read_text().splitlines()[0])
    assert record["target"] == "program"
    assert [message["role"] for message in record["messages"]] == ["system", "user", "assistant"]
    matrix = score(match(path, read_gold(gold)), read_gold(gold))
    assert matrix.graders["official"].correct == 3
    assert matrix.program_validity.correct == 4
    assert matrix.unit_accuracy is None
