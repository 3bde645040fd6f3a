"""The model card of a training run: ``README.md``, with the front matter that Hugging Face reads.

``model_card(RunFolder(Path("runs/convfinqa")))`` is its text. Sections follow Mitchell et al. 2019,
"Model Cards for Model Reporting"; the front matter is described in
https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from crossfoot.models.embedded import EMBEDDED, GGUF_SHA256, REQUIREMENT, WHEEL_SHA256
from crossfoot.runs.folder import RunFolder

_HUB_NAMES = {EMBEDDED: "HuggingFaceTB/SmolLM2-135M-Instruct"}
_SOURCES = {
    "convfinqa": "ConvFinQA (Chen et al. 2022, MIT), conversations about pages of annual reports",
    "finqa": "FinQA (Chen et al. 2021, MIT), questions about pages of annual reports",
    "synthetic": "synthetic filing pages made by Crossfoot's generator",
}
_MADE = {
    "rescaled": ", and again on their pages in another scale",
    "corrections": ", and again behind a model's own wrong turns",
}


def model_card(run: RunFolder) -> str:
    """The card of a finished training, from the files of its run folder."""
    recipe = yaml.safe_load((run.path / "recipe.yaml").read_text("utf-8"))
    sections = [
        _front_matter(recipe),
        _title(recipe),
        _base(recipe["model"], run.read_json("environment.json").get("base", {})),
        _data(recipe, run.read_json("data.json")),
        _training(recipe, run),
        _results(run),
        _use(recipe),
        _LIMITS,
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _front_matter(recipe: dict[str, Any]) -> str:
    base = _HUB_NAMES.get(recipe["model"], recipe["model"])
    fields: dict[str, Any] = {
        "library_name": "transformers" if recipe["adapter"]["method"] == "none" else "peft",
        "pipeline_tag": "text-generation",
        "language": "en",
        "tags": ["crossfoot", "finance", _TAGS[recipe.get("target", "tool")]],
    }
    # A local folder is no model of the hub, and its path is nobody else's business.
    if not base.startswith((".", "/", "~")):
        fields["base_model"] = base
    return f"---\n{yaml.safe_dump(fields, sort_keys=False)}---"


def _title(recipe: dict[str, Any]) -> str:
    kind = "weights" if recipe["adapter"]["method"] == "none" else "a LoRA adapter"
    tasks = ", ".join(dict.fromkeys(part["task"] for part in recipe["data"]))
    return (
        f"# {recipe['model']} fine-tuned on {tasks}\n\n"
        f"This is {kind} that Crossfoot trained to answer questions about one page of a financial "
        f"filing. {_WRITES[recipe.get('target', 'tool')]} {_shown(recipe)}"
    )


_TAGS = {
    "tool": "tool-calling",
    "program": "program-synthesis",
    "numerical": "question-answering",
    "answer": "question-answering",
}
_WRITES = {
    "tool": "The model writes calls of two tools, `calculate(expression)` and "
    "`submit_answer(value, unit)`, so that each computed answer comes with its arithmetic.",
    "program": "The model writes a program in the DSL of FinQA, which is then executed.",
    "numerical": "The model writes one number, or yes or no.",
    "answer": "The model writes a short answer as an analyst would.",
}
_SHOWN = {
    "all": "It is shown the whole page.",
    "gold": "It is shown the annotated evidence only, which nobody has for a new question.",
    "noisy_gold": "It is shown the annotated evidence among other paragraphs and rows of the page, "
    "which nobody has for a new question.",
    "retrieved": "It is shown the paragraphs and rows that BM25 ranks first for the question.",
}


def _shown(recipe: dict[str, Any]) -> str:
    shown = recipe.get("input", "all")
    ranking = {"ranked": "BM25", "chosen": "a fitted ranking"}.get(recipe.get("prompt", ""))
    if shown == "all" and ranking:
        return (
            "It is shown the table of the page, and behind each question the rows and sentences "
            f"that {ranking} puts first for the conversation."
        )
    return _SHOWN[shown]


def _base(name: str, base: dict[str, Any]) -> str:
    lines = [f"## Base model\n\n`{name}`"]
    if name == EMBEDDED:
        lines.append(
            f"({_HUB_NAMES[EMBEDDED]}, Apache-2.0, out of the PyPI wheel `{REQUIREMENT}`, sha256 "
            f"`{WHEEL_SHA256}`, converted from its 4-bit GGUF, sha256 `{GGUF_SHA256}`)"
        )
    if base.get("revision"):
        lines.append(f"at revision `{base['revision']}`")
    hashes = [f"- `{file}`: sha256 `{value}`" for file, value in base.get("sha256", {}).items()]
    return " ".join(lines) + ("\n\n" + "\n".join(hashes) if hashes else "")


def _data(recipe: dict[str, Any], data: dict[str, Any]) -> str:
    parts = []
    for part in recipe["data"]:
        amount = f"{part['limit']} chosen by seed {part['seed']}" if part["limit"] else "all"
        source = _SOURCES.get(part["task"], part["task"])
        drawn = f", and up to {part['drawn']} drawn on each page" if part.get("drawn") else ""
        more = "".join(words for key, words in _MADE.items() if part.get(key))
        less = "" if part.get("booleans", True) else ", without comparisons"
        parts.append(f"- {source}: split `{part['split']}`, {amount}{drawn}{more}{less}")
    train, held_out = data["train"], data["validation"]
    rows = [
        "| | targets (assistant messages) | token trees | tokens | tokens that bear loss |",
        "|---|---|---|---|---|",
    ]
    for name, counts in (("train", train), ("held out, scored", held_out)):
        numbers = (counts["rows"], counts["trees"], counts["tokens"], counts["target_tokens"])
        rows.append(f"| {name} | " + " | ".join(f"{number:,}" for number in numbers) + " |")
    left_out = (
        f"{len(train['left_out'])} conversations longer than {recipe['max_tokens']} tokens were "
        f"left out. {len(data['validation_ids'])} conversations were held out by whole pages; "
        "none of their pages was trained on."
    )
    if train.get("quoted"):
        left_out += (
            f" Of {train['quoted']:,} numbers that targets quote, {train['guessed']:,} stand in "
            "several places of their page; the place is quoted whose words are most like the "
            "question's."
        )
    return "## Data\n\n" + "\n".join(parts) + "\n\n" + "\n".join(rows) + "\n\n" + left_out


def _without_paths(recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe as others may see it: of the folders that it goes on from the names alone."""
    adapter = recipe["adapter"] | {"start_from": _name(recipe["adapter"]["start_from"])}
    data = [part | {"corrections": _name(part.get("corrections"))} for part in recipe["data"]]
    return recipe | {"adapter": adapter, "data": data}


def _name(folder: str | None) -> str | None:
    return folder and Path(folder).name


def _training(recipe: dict[str, Any], run: RunFolder) -> str:
    environment, timing = run.read_json("environment.json"), run.read_json("timing.json")
    losses = run.read_lines("train_loss.log")
    measured = [
        f"- {len(losses)} logged steps; loss {losses[0]['loss']:.4f} at the first, "
        f"{losses[-1]['loss']:.4f} at the last (mean over target tokens)"
        if losses
        else "",
        f"- held-out loss {timing['eval_loss']:.4f}" if "eval_loss" in timing else "",
        f"- {timing['train_duration_seconds']:,.0f} seconds on {environment['cores']} cores "
        f"({environment['processor']})" + (", CUDA" if "cuda_max_memory_bytes" in timing else ""),
    ]
    versions = ", ".join(f"{name} {v}" for name, v in environment["packages"].items() if v)
    return (
        "## Training\n\nSupervised fine-tuning; loss on the assistant's messages only.\n\n"
        + "\n".join(line for line in measured if line)
        + f"\n- Python {environment['python']}, {versions}"
        + f"\n\n```yaml\n{yaml.safe_dump(_without_paths(recipe), sort_keys=False)}```"
    )


def _results(run: RunFolder) -> str:
    if not (run.path / "test_metrics.json").is_file():
        return "## Results\n\nNot evaluated yet: `crossfoot eval` with this run as `--adapter`."
    metrics = run.read_json("test_metrics.json")
    heading = "accuracy | 95% interval | turns |\n|---|---|---|---|"
    graders = [f"| grader | {heading}"]
    graders += [_score(name, score) for name, score in metrics["graders"].items()]
    groups = [f"| turns, by `official` | {heading}"]
    for by, words in _GROUPS.items():
        scores = metrics.get(by, {}).items()
        groups += [_score(words.format(name), score) for name, score in scores if score["total"]]
    if metrics.get("operands_named"):
        groups.append(_score("all numbers of the gold program named", metrics["operands_named"]))
    tables = "\n\n".join("\n".join(table) for table in (graders, groups) if len(table) > 1)
    return f"## Results\n\nOn {_asked(metrics)}; intervals resample whole pages.\n\n{tables}"


_GROUPS = {
    "by_kind": "{}",
    "by_numbers": "numbers {}",
    "by_position": "position {} of its conversation",
    "after_previous_turn": "after a {} turn",
    "by_evidence": "evidence: {}",
    "by_evidence_source": "evidence {}",
    "by_operation": "operation: {}",
}


def _score(name: str, score: dict[str, Any]) -> str:
    interval = f"{score['low']:.1%} to {score['high']:.1%}"
    return f"| {name} | {score['accuracy']:.1%} | {interval} | {score['total']:,} |"


def _asked(metrics: dict[str, Any]) -> str:
    """What was evaluated, and in which of the ways that change the figures."""
    asked = f"{metrics.get('task', 'the task')}, split {metrics.get('split', 'unknown')}"
    if metrics.get("history") == "gold":
        asked += ", behind the labelled turns instead of the model's own"
    if metrics.get("few_shot"):
        asked += ", with examples in the prompt"
    if metrics.get("constrained"):
        asked += ", the output held to its format (`--constrained`)"
    if metrics.get("line_prior"):
        asked += ", quotes weighed by their ranking (`--line-prior`)"
    return asked


def _use(recipe: dict[str, Any]) -> str:
    if recipe["adapter"]["method"] == "none":
        options = "--model final_model"
    else:
        options = f"--model {recipe['model']} --adapter final_model"
    if recipe.get("target", "tool") != "tool" or recipe.get("input", "all") != "all":
        return (
            "## How to use it\n\nOn single questions, as its recipe says:\n\n"
            f"```\ncrossfoot eval {recipe['data'][0]['task']} --adapter THIS_FOLDER\n```"
        )
    return (
        "## How to use it\n\nIn this folder, with a page as a Markdown file with one table:\n\n"
        f'```\ncrossfoot ask page.md "what was the revenue in 2016?" {options}\n```'
    )


_LIMITS = """\
## Limits

- One page of a filing in English at a time; a figure that stands elsewhere is not found.
- Answers can be wrong, most often by a wrong cell, sign, scale or unit. Check the expression and
  the cells that it names before relying on a number; this is no financial advice.
- Prompts other than Crossfoot's were not trained on."""
