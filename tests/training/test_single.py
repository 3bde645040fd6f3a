"""Recipes of single questions: which are trained on, what they share, what a run leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

import filings
import tiny
import workshop
from crossfoot.errors import CrossfootError, RecipeError
from crossfoot.targets.single import chat_for
from crossfoot.training.arguments import keep_budget, training_arguments
from crossfoot.training.data import build_trees, load_data
from crossfoot.training.plan import plan
from crossfoot.training.prepared import prepare, steps_of
from crossfoot.training.recipe import Recipe, load_recipe
from crossfoot.training.train import train

PROGRAM = "subtract(5829, 5735), divide(#0, 5735)"
LOST = {"gold_inds": {}, "program": "add(7, 8)", "exe_ans": 15}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A tiny model, and three pages with two questions each and one without evidence."""
    folder = tmp_path_factory.mktemp("single")
    workshop.write_model(folder / "model")
    records = []
    for page in range(3):
        for number, changes in enumerate(({}, {"question": "and the growth?"}, LOST)):
            record = filings.finqa_record(number, **changes)
            records.append(
                record
                | {"id": f"OURS/{page}.pdf-{number}", "filename": f"OURS/{page}.pdf"}
                | {"pre_text": [f"page {page} is about the results of the year ."]}
            )
    filings.write(folder / "data" / "finqa" / "train.json", records)
    filings.write(folder / "data" / "convfinqa" / "train.json", [filings.convfinqa_record()])
    return folder


@pytest.fixture(autouse=True)
def _data(workspace, monkeypatch):
    monkeypatch.setenv("CROSSFOOT_DATA", str(workspace / "data"))


def recipe(workspace, **changes) -> Recipe:
    changes = {"data": [{"task": "finqa"}], "target": "program"} | changes
    options = {"validation": {"conversations": 0}} | changes
    return workshop.recipe(options.pop("model", workspace / "model"), **options)


def trees(found: Recipe):
    chat = chat_for(tiny.tokenizer(), found.target, found.prompt_style)
    return build_trees(load_data(found).train, chat, found)


def test_questions_without_evidence_are_left_out_of_gold_and_counted(workspace):
    data = load_data(recipe(workspace, input="gold"))
    assert len(data.train) == 6
    assert data.unusable == {"without evidence": 3}
    assert len(load_data(recipe(workspace, input="all")).train) == 9


@pytest.mark.parametrize("input", ["all", "gold", "noisy_gold", "retrieved"])
def test_every_input_can_be_trained_on_the_same_records(workspace, input):
    part = {"task": "finqa", "with_evidence": True}
    data = load_data(recipe(workspace, input=input, data=[part]))
    assert [sample.sample_id for sample in data.train] == [
        f"OURS/{page}.pdf-{number}" for page in range(3) for number in range(2)
    ]


def test_a_limit_counts_usable_questions(workspace):
    part = {"task": "finqa", "limit": 6}
    assert len(load_data(recipe(workspace, input="gold", data=[part])).train) == 6


def test_questions_of_a_page_share_it(workspace):
    shared, alone = trees(recipe(workspace)), trees(recipe(workspace, rows="target"))
    assert len(shared.trees) == 3
    assert shared.rows == alone.rows == 9
    assert shared.tokens < 0.5 * alone.tokens
    assert shared.row_tokens == alone.tokens


def test_an_unknown_page_unit_is_told_or_left_out(workspace, tmp_path, monkeypatch):
    records = [filings.finqa_record(1), filings.finqa_record(2, gold_inds={"table_99": ""})]
    filings.write(tmp_path / "finqa" / "train.json", records)
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    with pytest.raises(CrossfootError, match=r"no unit 'table_99'.*skip_bad"):
        load_data(recipe(workspace))
    data = load_data(recipe(workspace, data=[{"task": "finqa", "skip_bad": True}]))
    assert len(data.train) == 1
    assert data.unusable == {"with wrong evidence": 1}


def test_conversations_have_no_program_target(workspace):
    with pytest.raises(RecipeError, match="single questions: use finqa"):
        load_data(recipe(workspace, data=[{"task": "convfinqa"}]))


def test_the_reasons_are_told_where_nothing_is_left(workspace):
    part = {"task": "finqa", "with_evidence": True}
    with pytest.raises(RecipeError, match="no conversation is left"):
        load_data(recipe(workspace, data=[part], validation={"conversations": 9}))


@pytest.mark.parametrize("budget", [1, 500, 2000, 20_000])
def test_train_tokens_are_the_tokens_that_are_encoded(workspace, tmp_path, budget):
    found = recipe(workspace, batch_rows=2, train_tokens=budget)
    arguments = training_arguments(found, tmp_path)
    steps = steps_of(prepare(found).trained.trees, found, arguments)
    keep_budget(arguments, found, steps)
    tokens = sum(len(tree) for step in steps for tree in step)
    encoded = arguments.max_steps * tokens / len(steps)
    assert arguments.max_steps == 1 or abs(encoded - budget) <= tokens / len(steps)
    assert plan(found).steps == arguments.max_steps


def test_train_tokens_and_a_number_of_steps_contradict_each_other(workspace):
    with pytest.raises(ValueError, match="contradict"):
        recipe(workspace, train_tokens=100, trainer={"max_steps": 3})


@pytest.mark.parametrize(
    ("target", "style"),
    [("program", "instruct"), ("numerical", "base"), ("answer", "instruct"), ("tool", "instruct")],
)
def test_a_training_leaves_a_run_that_says_what_it_learned(workspace, tmp_path, target, style):
    found = recipe(workspace, target=target, prompt_style=style, input="gold", batch_rows=4)
    run = train(found, tmp_path / "run")
    data = run.read_json("data.json")
    assert data["train"]["rows"] == (12 if target == "tool" else 6)
    assert data["unusable"] == {"without evidence": 3}
    assert load_recipe(run.path / "recipe.yaml").single == found.single
    losses = [line["loss"] for line in run.read_lines("train_loss.log")]
    assert losses[-1] < losses[0]
    card = (run.path / "README.md").read_text()
    assert "annotated evidence only" in card
    assert "crossfoot eval finqa" in card


def test_a_tokenizer_without_chat_template_is_told_how_to_go_on(workspace, tmp_path):
    model = workshop.write_model(tmp_path / "model")
    (model / "chat_template.jinja").unlink()
    with pytest.raises(CrossfootError, match=r"no chat template.*prompt_style base"):
        prepare(recipe(workspace, model=str(model)))
    base = recipe(workspace, model=str(model), prompt_style="base", input="gold")
    (first, *_) = prepare(base).trained.trees
    text = tiny.tokenizer().decode(list(first.ids))
    assert text.startswith("Answer a question")
    assert f"Program:\n{PROGRAM}<|im_end|>" in text


def test_tool_calls_need_a_template(workspace):
    with pytest.raises(ValueError, match="need a chat template"):
        recipe(workspace, target="tool", prompt_style="base")


def test_the_folder_names_input_and_target(workspace):
    found = recipe(workspace, output="runs/x-input_{input}-output_{target}", input="gold")
    assert found.folder == "runs/x-input_gold-output_program"
    assert recipe(workspace).folder is None


def test_a_base_prompt_begins_as_the_tokenizer_begins_texts():
    tokenizer = tiny.tokenizer()
    plain = chat_for(tokenizer, "program", "base")
    asked = [{"role": "user", "content": "why?"}]
    assert plain.prompt_text(asked) == "Question: why?\nProgram:\n"
    tokenizer.add_bos_token = True
    tokenizer._tokenizer.post_processor = _with_bos(tokenizer)
    begun = replace(plain, tokenizer=tokenizer)
    assert begun.prompt_ids(asked) == tokenizer("Question: why?\nProgram:\n")["input_ids"]


def _with_bos(tokenizer):
    from tokenizers.processors import TemplateProcessing

    bos = tokenizer.bos_token
    return TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tokenizer.bos_token_id)])
