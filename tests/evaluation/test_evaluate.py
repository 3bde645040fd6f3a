"""Evaluation: predictions that grow by whole batches, interruptions, changed settings."""

import json
from dataclasses import replace

import pytest

import tiny
from crossfoot.agent.loop import Limits, Setting
from crossfoot.chat.template import Chat
from crossfoot.engines.local import TransformersEngine
from crossfoot.errors import CrossfootError, DataError, ModelError
from crossfoot.evaluation.evaluate import (
    LATENCIES,
    PREDICTIONS,
    evaluate,
    inference_seconds,
    one_engine,
)
from crossfoot.runs.folder import SETTINGS, RunFolder
from crossfoot.tasks.base import Sample, Turn
from scripted import SECONDS, Scripted, submitted

SOURCE = {"task": "ours", "model": "scripted", "limit": None}
TURNS = (4, 1, 2, 3, 1)


@pytest.fixture
def samples():
    whole = tiny.sample()
    return [
        Sample(f"ours-{n} é", whole.page, whole.turns[:turns]) for n, turns in enumerate(TURNS, 1)
    ]


class Interrupted(Exception):
    pass


def reply(messages):
    """Right in the first turn, wrong and different later on."""
    asked = sum(message["role"] == "user" for message in messages)
    return submitted("5829" if asked == 1 else str(asked))


def run(samples, folder, engine=None, batch_size=2, **changes):
    options = {"setting": Setting(), "source": SOURCE, "batch_size": batch_size} | changes
    runner = one_engine(engine or Scripted(reply=reply))
    return evaluate(samples, runner, RunFolder(folder), **options)


def failing_after(replies):
    """An engine that is interrupted after that many replies."""
    left = [replies]

    def answer(messages):
        if left[0] == 0:
            raise Interrupted
        left[0] -= 1
        return reply(messages)

    return Scripted(reply=answer)


def lines(folder):
    return (folder / PREDICTIONS).read_text("utf-8").splitlines()


def test_a_page_beyond_the_context_stops_before_anything_is_asked(samples, tmp_path):
    long = replace(samples[-1].page, after=("word " * 9000,))
    samples[-1] = replace(samples[-1], page=long)
    engine = TransformersEngine(tiny.llama(), Chat(tiny.tokenizer()))
    with pytest.raises(ModelError, match="do not fit the model's context of 8192"):
        run(samples, tmp_path, engine)
    assert not (tmp_path / PREDICTIONS).read_text("utf-8")


def test_every_turn_of_every_sample_has_one_record_in_order(samples, tmp_path):
    predictions = run(samples, tmp_path)
    expected = [(s.sample_id, turn) for s in samples for turn in range(len(s.turns))]
    assert [(p.id, p.turn) for p in predictions] == expected
    records = [json.loads(line) for line in lines(tmp_path)]
    assert [(r["id"], r["turn"]) for r in records] == expected
    assert [r["verdict"]["correct"] for r in records] == [r["turn"] == 0 for r in records]
    assert records[0]["messages"][0]["content"] == samples[0].turns[0].question
    assert {r["latency_ms"] for r in records} == {SECONDS * 1000}


def test_the_predictions_grow_by_whole_batches(samples, tmp_path):
    seen = []
    run(
        samples,
        tmp_path,
        progress=lambda done, total: seen.append((done, total, len(lines(tmp_path)))),
    )
    assert seen == [(0, 5, 0), (2, 5, 5), (4, 5, 10), (5, 5, 11)]


@pytest.mark.parametrize("replies", range(11))
def test_an_interrupted_run_continued_equals_an_uninterrupted_one(samples, tmp_path, replies):
    run(samples, tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(samples, tmp_path / "cut", failing_after(replies))
    engine = Scripted(reply=reply)
    run(samples, tmp_path / "cut", engine)
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")
    assert (tmp_path / "cut" / LATENCIES).read_text() == (
        tmp_path / "whole" / LATENCIES
    ).read_text()
    done = 0 if replies < 5 else 5 if replies < 10 else 10
    assert len(engine.seen) == sum(TURNS) - done
    run(samples, tmp_path / "cut", Scripted())


@pytest.mark.parametrize("cut", [1, 5, 300])
def test_a_last_line_that_was_cut_off_is_repaired(samples, tmp_path, cut):
    run(samples, tmp_path)
    whole = (tmp_path / PREDICTIONS).read_bytes()
    (tmp_path / PREDICTIONS).write_bytes(whole[:-cut])
    engine = Scripted(reply=reply)
    run(samples, tmp_path, engine)
    assert (tmp_path / PREDICTIONS).read_bytes() == whole
    assert len(engine.seen) == 1


def test_a_line_cut_inside_a_character_is_repaired(samples, tmp_path):
    run(samples, tmp_path)
    whole = (tmp_path / PREDICTIONS).read_bytes()
    place = whole.rindex("é".encode()) + 1
    (tmp_path / PREDICTIONS).write_bytes(whole[:place])
    run(samples, tmp_path)
    assert (tmp_path / PREDICTIONS).read_bytes() == whole


def test_a_batch_of_which_lines_are_missing_is_run_again(samples, tmp_path):
    run(samples, tmp_path)
    whole = lines(tmp_path)
    (tmp_path / PREDICTIONS).write_text("\n".join(whole[:7]) + "\n")
    engine = Scripted(reply=reply)
    run(samples, tmp_path, engine)
    assert lines(tmp_path) == whole
    assert len(engine.seen) == 6


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"batch_size": 3}, "batch_size"),
        ({"setting": Setting(history="gold")}, "history"),
        ({"setting": Setting(form="long")}, "form, samples_sha256"),
        ({"setting": Setting(limits=Limits(replies=2))}, "limits"),
        ({"source": SOURCE | {"model": "another"}}, "model"),
    ],
)
def test_changed_settings_are_refused_and_nothing_is_touched(samples, tmp_path, changes, named):
    run(samples, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(CrossfootError, match=named) as caught:
        run(samples, tmp_path, Scripted(), **changes)
    assert "choose another --output" in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_changed_question_or_label_is_refused(samples, tmp_path):
    run(samples, tmp_path)
    first = samples[0]
    turn = first.turns[0]
    for changed in (
        Turn("another question?", turn.gold),
        Turn(turn.question, replace(turn.gold, answer=1.0)),
    ):
        other = replace(first, turns=(changed, *first.turns[1:]))
        with pytest.raises(CrossfootError, match="samples_sha256"):
            run([other, *samples[1:]], tmp_path)


def test_predictions_of_unknown_origin_are_refused_and_kept(samples, tmp_path):
    (tmp_path / PREDICTIONS).write_text("precious\n")
    with pytest.raises(CrossfootError, match="how it was made"):
        run(samples, tmp_path)
    assert (tmp_path / PREDICTIONS).read_text() == "precious\n"


@pytest.mark.parametrize("damage", ['{"id": 1}\n', "not json\n", "[]\n"])
def test_damaged_records_in_the_middle_are_refused_in_one_line(samples, tmp_path, damage):
    run(samples, tmp_path)
    whole = (tmp_path / PREDICTIONS).read_text()
    (tmp_path / PREDICTIONS).write_text(damage + whole)
    with pytest.raises(DataError) as caught:
        run(samples, tmp_path)
    assert PREDICTIONS in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "7", "{}"])
def test_a_damaged_settings_file_is_refused(samples, tmp_path, text):
    run(samples, tmp_path)
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(CrossfootError, match="other settings"):
        run(samples, tmp_path)


def test_settings_that_led_to_no_prediction_bind_no_one(samples, tmp_path):
    with pytest.raises(Interrupted):
        run(samples, tmp_path, failing_after(0), source=SOURCE | {"model": "mistyped"})
    run(samples, tmp_path)
    assert json.loads((tmp_path / SETTINGS).read_text())["model"] == SOURCE["model"]


def test_a_failed_turn_stays_among_the_records(samples, tmp_path):
    predictions = run(samples, tmp_path, Scripted(reply=lambda messages: "I do not know"))
    assert len(predictions) == sum(TURNS)
    assert {p.verdict.error for p in predictions} == {"no_answer"}


def test_a_turn_without_labels_is_refused_by_its_id(samples, tmp_path):
    unlabelled = replace(samples[0], turns=(Turn("how much?"),))
    with pytest.raises(DataError, match="ours-1"):
        run([unlabelled], tmp_path)


def test_the_total_time_is_that_of_the_batches_and_survives_an_interruption(samples, tmp_path):
    # Batches of 2: the longest conversations have 4, 3 and 1 turns of one reply each.
    assert inference_seconds(run(samples, tmp_path / "whole"), 2) == 8 * SECONDS
    with pytest.raises(Interrupted):
        run(samples, tmp_path / "cut", failing_after(8))
    assert inference_seconds(run(samples, tmp_path / "cut"), 2) == 8 * SECONDS
    assert inference_seconds(run(samples, tmp_path / "all", batch_size=9), 9) == 4 * SECONDS


def backwards(engine):
    """A runner whose batches are complete in the opposite order."""

    def run_all(batches, setting):
        yield from one_engine(engine)(dict(reversed(list(batches.items()))), setting)

    return run_all


def test_batches_may_come_in_any_order_and_the_file_ends_up_in_that_of_the_samples(
    samples, tmp_path
):
    run(samples, tmp_path / "forwards")
    predictions = evaluate(
        samples,
        backwards(Scripted(reply=reply)),
        RunFolder(tmp_path / "backwards"),
        setting=Setting(),
        source=SOURCE,
        batch_size=2,
    )
    assert lines(tmp_path / "backwards") == lines(tmp_path / "forwards")
    assert [(p.id, p.turn) for p in predictions] == [
        (s.sample_id, turn) for s in samples for turn in range(len(s.turns))
    ]


@pytest.mark.parametrize("replies", range(11))
def test_a_run_that_was_interrupted_out_of_order_goes_on(samples, tmp_path, replies):
    run(samples, tmp_path / "whole")
    options = {"setting": Setting(), "source": SOURCE, "batch_size": 2}
    with pytest.raises(Interrupted):
        evaluate(samples, backwards(failing_after(replies)), RunFolder(tmp_path / "cut"), **options)
    engine = Scripted(reply=reply)
    run(samples, tmp_path / "cut", engine)
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")
    done = 0 if replies < 1 else 1 if replies < 6 else 6
    assert len(engine.seen) == sum(TURNS) - done
