"""Metrics, computed by hand on two conversations of two pages."""

import pytest

import tiny
from crossfoot.evaluation.metrics import latency, summarise
from crossfoot.evaluation.predictions import Prediction
from crossfoot.grading.answer import Gold
from crossfoot.grading.graders import GRADERS
from crossfoot.grading.verdict import grade
from crossfoot.pages.page import Page
from crossfoot.tasks.base import Sample, Turn

FIRST = tiny.page()
SECOND = Page("OURS/2017/page_2.pdf", FIRST.before, FIRST.table, FIRST.after)

# Program, gold answer, gold unit, submitted (value, unit) or None, expressions.
GROWTH = "subtract(5829, 5735), divide(#0, 5735)"
ROWS = {
    ("a", FIRST): [
        ("5829", 5829.0, "absolute", (5829.0, "absolute"), []),  # right
        ("subtract(5829, 5735)", 94.0, "absolute", (94.0, "count"), ["5829 - 5735"]),  # right
        (GROWTH, 0.01639, "fraction", (0.01640, "fraction"), ["94 / 5735"]),  # within 1e-3
        ("greater(5829, 5735)", "yes", "yes_no", ("no", "yes_no"), ["5829 < 5735"]),  # wrong
    ],
    ("b", SECOND): [
        ("4210", 4210.0, "absolute", None, []),  # no answer
        (GROWTH, 0.01639, "fraction", (0.01639, "fraction"), ["(5829 - 5735) / 5735"]),  # right
    ],
}
LATENCIES = [100.0, 200.0, 300.0, 400.0, 500.0, 600.0]


def built():
    samples, predictions = [], []
    latencies = iter(LATENCIES)
    for (name, page), rows in ROWS.items():
        turns = []
        for place, (program, answer, unit, submitted, expressions) in enumerate(rows):
            gold = Gold(answer, program, unit, page=page)
            turns.append(Turn("?", gold))
            saved = submitted and {
                "value": submitted[0],
                "unit": submitted[1],
                "text": str(submitted[0]),
            }
            record = Prediction(
                id=name,
                page=page.page_id,
                turn=place,
                answer=saved,
                expressions=expressions,
                latency_ms=next(latencies),
            )
            verdict = grade(record.submission(), gold)
            document = record.model_dump() | {
                "verdict": {"correct": verdict.correct, "error": verdict.error}
            }
            predictions.append(Prediction.model_validate(document))
        samples.append(Sample(name, page, tuple(turns)))
    return predictions, samples


@pytest.fixture(scope="module")
def metrics():
    return summarise(*built())


def counts(score):
    return (score["correct"], score["total"])


def groups(part):
    return {name: counts(score) for name, score in part.items()}


def test_conversations_pages_and_turns_are_counted(metrics):
    assert [metrics[key] for key in ("conversations", "pages", "turns")] == [2, 2, 6]


def test_every_grader_has_all_turns_in_its_denominator(metrics):
    assert set(metrics["graders"]) == set(GRADERS)
    assert {score["total"] for score in metrics["graders"].values()} == {6}
    assert counts(metrics["graders"]["official"]) == (3, 6)
    assert counts(metrics["graders"]["relative_1e-3"]) == (4, 6)


def test_an_accuracy_comes_with_its_interval_over_pages(metrics):
    official = metrics["graders"]["official"]
    assert official["accuracy"] == 0.5
    # Two pages, of 2 in 4 and of 1 in 2 right: every resample has the same mean.
    assert (official["low"], official["high"]) == (0.5, 0.5)
    near = metrics["graders"]["relative_1e-3"]
    assert near["low"] == 0.5 < near["accuracy"] < near["high"] == 0.75


def test_positions_are_counted_from_one(metrics):
    assert groups(metrics["by_position"]) == {"1": (1, 2), "2": (2, 2), "3": (0, 1), "4": (0, 1)}


def test_looked_up_and_computed_turns_are_told_apart(metrics):
    assert groups(metrics["by_kind"]) == {"looked up": (1, 2), "computed": (2, 4)}


def test_turns_that_need_a_number_no_earlier_turn_needed_are_told_apart(metrics):
    assert groups(metrics["by_numbers"]) == {
        "new on the page": (3, 4),
        "in the conversation": (0, 2),
    }


def test_evidence_that_no_record_names_is_counted_as_rebuilt(metrics):
    assert groups(metrics["by_evidence_source"]) == {"rebuilt": (3, 6)}


def test_a_turn_counts_under_each_operation_of_its_gold_program(metrics):
    assert groups(metrics["by_operation"]) == {
        "none": (1, 2),
        "subtract": (2, 3),
        "divide": (1, 2),
        "greater": (0, 1),
    }


def test_units_are_those_of_the_gold_answer(metrics):
    assert groups(metrics["by_unit"]) == {
        "absolute": (2, 3),
        "fraction": (1, 2),
        "yes_no": (0, 1),
    }


def test_a_submitted_unit_is_compared_with_the_gold_unit(metrics):
    assert counts(metrics["unit_accuracy"]) == (4, 6)


def test_turns_whose_labels_contradict_each_other_are_audited_away(metrics):
    assert counts(metrics["audited_accuracy"]) == (3, 6)
    predictions, samples = built()
    wrong = Gold(1.0, "5829", "absolute", page=FIRST)
    first = Sample("a", FIRST, (Turn("?", wrong), *samples[0].turns[1:]))
    found = summarise(predictions, [first, samples[1]])
    assert counts(found["graders"]["official"]) == (2, 6)
    assert counts(found["audited_accuracy"]) == (2, 5)


def test_programs_are_compared_apart_from_answers(metrics):
    # The looked-up 5829, the subtraction and the second growth.
    assert counts(metrics["program_accuracy"]) == (3, 6)


def test_named_operands_are_asked_of_turns_that_have_some(metrics):
    score = metrics["operands_named"]
    assert score["total"] <= 6
    assert score["correct"] >= 2


def test_a_conversation_is_right_when_every_turn_is(metrics):
    assert counts(metrics["conversations_all_right"]) == (0, 2)
    predictions, samples = built()
    alone = summarise(predictions[:2], [Sample("a", FIRST, samples[0].turns[:2])])
    assert counts(alone["conversations_all_right"]) == (1, 1)


def test_a_turn_is_told_by_whether_the_one_before_it_was_right(metrics):
    # After right ones: a2 right, a3 wrong. After wrong ones: a4 wrong, b2 right.
    assert groups(metrics["after_previous_turn"]) == {"right": (1, 2), "wrong": (1, 2)}


def test_error_classes_count_every_wrong_turn_once(metrics):
    assert sum(metrics["errors"].values()) == 3
    assert metrics["errors"]["no_answer"] == 1
    assert metrics["errors"]["yes_no"] == 1


def test_latencies_have_average_and_percentiles(metrics):
    assert latency(LATENCIES).items() <= metrics.items()
    assert latency(LATENCIES) == {
        "inference_latency_ms_avg": 350.0,
        "inference_latency_ms_p50": 350.0,
        "inference_latency_ms_p90": 550.0,
        "inference_latency_ms_p95": 575.0,
        "inference_latency_ms_p99": pytest.approx(595.0),
    }


def test_a_model_that_never_answers_has_zero_of_all_turns():
    predictions, samples = built()
    silent = [p.model_copy(update={"answer": None, "expressions": []}) for p in predictions]
    metrics = summarise(silent, samples)
    assert counts(metrics["graders"]["official"]) == (0, 6)
    assert counts(metrics["program_accuracy"]) == (0, 6)
    assert counts(metrics["unit_accuracy"]) == (0, 6)
