"""Our graders against the official scripts, on the same predictions in one run.

    python benchmarks/grading.py --official DIR [--data DIR] [--records N]

DIR holds clones of https://github.com/czyssrs/FinQA and https://github.com/czyssrs/ConvFinQA (or
one of them, or the two scripts alone). The predictions are gold programs of the dev files and
seeded mutations of them (``program_mutations.py``): wrong operands, swapped ones, a missing EOF,
invalid tokens, algebraic rewrites, table operations, single steps. The execution verdict and the
program verdict are compared prediction by prediction; the last line is one JSON object with
``ratio``, official seconds by ours over the predictions for which the official script came to an
end within ``--seconds``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import random
import signal
import sys
import time
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfoot.arithmetic.program import tokenize
from crossfoot.errors import CrossfootError, DataError
from crossfoot.grading.answer import Gold, Submission
from crossfoot.grading.graders import is_correct, official_script_crashes, program_correct
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from program_mutations import MUTATIONS, Tokens

LAYOUTS = {
    "finqa": ("code/evaluate/evaluate.py", "FinQA/code/evaluate/evaluate.py", "finqa/evaluate.py"),
    "convfinqa": (
        "code/utils/general_utils.py",
        "ConvFinQA/code/utils/general_utils.py",
        "convfinqa/code/utils/general_utils.py",
    ),
}
DIFFERENCES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Case:
    """One prediction; ``convfinqa`` says which of the two official rules applies."""

    name: str
    kind: str
    convfinqa: bool
    predicted: Tokens
    gold: Gold


@dataclass(frozen=True, slots=True)
class Outcome:
    """``program`` is equal, different, or crash (equal, but with another result)."""

    execution: str
    program: str
    seconds: float


class _TooLong(BaseException):
    """Ends a call; the bare ``except`` of the script may catch it, so time is looked at too."""


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--official", type=Path, required=True, metavar="DIR")
    default = Path(os.environ.get("CROSSFOOT_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=default, metavar="DIR")
    parser.add_argument("--records", type=int, default=300, help="records drawn from each file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=10, help="limit of one official call")
    options = parser.parse_args()
    scripts = {task: load_script(options.official, task) for task in LAYOUTS}
    if not any(scripts.values()):
        raise DataError("neither FinQA's nor ConvFinQA's script", file=options.official)
    cases = [case for task in LAYOUTS if scripts[task] for case in build_cases(task, options)]
    report(cases, scripts, options)


def load_script(folder: Path, task: str) -> Any:
    """The official module, or None where the folder has none."""
    path = next((folder / one for one in LAYOUTS[task] if (folder / one).is_file()), None)
    if path is None:
        return None
    # FinQA's script imports tqdm and does not use it.
    sys.modules.setdefault("tqdm", types.SimpleNamespace(tqdm=iter))  # type: ignore[arg-type]
    spec = importlib.util.spec_from_file_location(f"official_{task}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build_cases(task: str, options: argparse.Namespace) -> list[Case]:
    """Gold programs and one mutation of every kind for each."""
    generator = random.Random(options.seed)
    path = options.data / task / "dev.json"
    if not path.is_file():
        raise DataError("no such file", file=path, advice="name its folder with --data")
    records = json.loads(path.read_text(encoding="utf-8"))
    generator.shuffle(records)
    cases = []
    for record in records[: options.records]:
        for name, gold in golds(record):
            tokens = tokenize(gold.program)
            cases.append(Case(name, "gold program", task == "convfinqa", tokens, gold))
            for kind, mutate in MUTATIONS.items():
                predicted = mutate(tokens, gold, generator)
                cases.append(Case(name, kind, task == "convfinqa", predicted, gold))
    return [*cases, endless_case(task)]


def endless_case(task: str) -> Case:
    """Repeated squares, which sympy multiplies out: the official script comes to no end."""
    squares = ", ".join(f"multiply(#{step}, #{step})" for step in range(14))
    program = "subtract(10, 8), divide(#0, 8)"
    gold = Gold(0.25, program, "fraction", page=Page("made up", (), Table(()), ()))
    tokens = tokenize(f"subtract(10, 8), {squares}")
    return Case("made up", "repeated squares", task == "convfinqa", tokens, gold)


def golds(record: dict[str, Any]) -> Iterator[tuple[str, Gold]]:
    """The labelled turns of one record of either data set; the last two of a conversation."""
    rows = tuple(tuple(row) for row in record["table"])
    page = Page(record["filename"], (), Table(rows), ())
    if "qa" in record:
        turns = [(record["qa"]["program"], record["qa"]["exe_ans"])]
    else:
        annotation = record["annotation"]
        turns = list(zip(annotation["turn_program"], annotation["exe_ans_list"], strict=True))[-2:]
    for place, (program, answer) in enumerate(turns):
        yield f"{record['id']}_{place}", Gold(answer, program, "absolute", page=page)


def official_outcome(script: Any, case: Case, limit: int) -> Outcome:
    """What the official script says, as its ``evaluate_result`` combines its two functions."""
    assert case.gold.page is not None
    table = [list(row) for row in case.gold.page.table.rows]
    predicted, gold = list(case.predicted), list(tokenize(case.gold.program))
    execution = program = "different"
    signal.alarm(limit)
    start = time.perf_counter()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            invalid, result = script.eval_program(predicted, table)
            execution = "equal" if invalid == 0 and result == case.gold.answer else "different"
            if (not case.convfinqa or invalid == 0) and script.equal_program(gold, predicted):
                program = "equal" if result == case.gold.answer else "crash"
    except _TooLong:
        pass
    except Exception as error:
        program = f"raises {type(error).__name__}"
    finally:
        seconds = time.perf_counter() - start
        signal.alarm(0)
    if seconds >= limit:
        program = "no end"
    return Outcome(execution, program, seconds)


def our_outcome(case: Case) -> Outcome:
    """The same from our graders."""
    submission = Submission(program=case.predicted)
    start = time.perf_counter()
    grader = "official_convfinqa" if case.convfinqa else "official"
    right = is_correct(submission, case.gold, grader)
    program = "equal" if program_correct(submission, case.gold, case.convfinqa) else "different"
    if program == "different" and official_script_crashes(
        case.predicted, case.gold, case.convfinqa
    ):
        program = "crash"
    return Outcome("equal" if right else "different", program, time.perf_counter() - start)


def report(cases: list[Case], scripts: dict[str, Any], options: argparse.Namespace) -> None:
    """Compare all cases and print what was found."""

    def stop(signum: int, frame: Any) -> None:
        raise _TooLong

    signal.signal(signal.SIGALRM, stop)
    official_seconds = our_seconds = 0.0
    counts: Counter[str] = Counter()
    by_kind: dict[str, Counter[str]] = {}
    differences = []
    for case in cases:
        script = scripts["convfinqa" if case.convfinqa else "finqa"]
        # Ours first: what sympy caches is then to the advantage of the official script.
        ours = our_outcome(case)
        official = official_outcome(script, case, options.seconds)
        kind = by_kind.setdefault(case.kind, Counter())
        kind["all"] += 1
        kind["execution right"] += ours.execution == "equal"
        kind["program right"] += ours.program == "equal"
        ended = official.program in ("equal", "different", "crash")
        if ended:
            official_seconds += official.seconds
            our_seconds += ours.seconds
        counts["official script crashes"] += official.program == "crash"
        counts["official script raises"] += official.program.startswith("raises")
        counts["official script has no end"] += official.program == "no end"
        counts["execution verdicts that differ"] += official.execution != ours.execution
        program_differs = ended and official.program != ours.program
        counts["program verdicts that differ"] += program_differs
        if not ended or program_differs or official.execution != ours.execution:
            differences.append(
                {
                    "id": case.name,
                    "kind": case.kind,
                    "task": "convfinqa" if case.convfinqa else "finqa",
                    "gold": case.gold.program,
                    "predicted": " ".join(case.predicted),
                    "official": [official.execution, official.program],
                    "ours": [ours.execution, ours.program],
                }
            )
    for name, kind in by_kind.items():
        print(
            f"{name:24} {kind['all']:6} predictions, {kind['execution right']:5} right by "
            f"execution, {kind['program right']:5} by program"
        )
    for difference in differences[:DIFFERENCES_SHOWN]:
        print("differs:", json.dumps(difference))
    print(f"official scripts {official_seconds:.2f} s, ours {our_seconds:.2f} s")
    document = {
        "benchmark": "grading",
        "ratio": round(official_seconds / our_seconds, 2),
        "compared": "execution and program verdicts of the official FinQA and ConvFinQA scripts "
        "against crossfoot.grading, one process, the same predictions",
        "scripts": [task for task, script in scripts.items() if script],
        "predictions": len(cases),
        "official_seconds": round(official_seconds, 3),
        "our_seconds": round(our_seconds, 3),
        "differences": counts["execution verdicts that differ"]
        + counts["program verdicts that differ"],
        "seed": options.seed,
        **{name.replace(" ", "_"): count for name, count in counts.items()},
    }
    print(json.dumps(document))


if __name__ == "__main__":
    try:
        main()
    except CrossfootError as error:
        print(f"grading: {error}", file=sys.stderr)
        sys.exit(2)
