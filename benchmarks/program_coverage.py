"""How many gold programs of FinQA dev the constraint on programs leaves possible, by input.

    python benchmarks/program_coverage.py

The grammar is made from each prompt alone (engines/programs.py); labels are looked at only here.
``retrieved`` shows ten units, ``labelled`` the whole page with its cells labelled. The last line
is one JSON object; its ``ratio`` is the share with the retrieved units by that with the whole page.
"""

from __future__ import annotations

import json

import llguidance
import llguidance.hf

from crossfoot.chat.prompt import PromptForm
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.engines.programs import program_grammar
from crossfoot.models.embedded import EMBEDDED
from crossfoot.models.loading import load_tokenizer
from crossfoot.targets.context import ContextOptions
from crossfoot.targets.single import Single, chat_for, opening_of
from crossfoot.tasks.registry import load_task


def main() -> None:
    quiet_libraries()
    chat = chat_for(load_tokenizer(EMBEDDED), "program")
    tokenizer = llguidance.hf.from_tokenizer(chat.tokenizer, eos_token=chat.end_id)
    samples = [sample for sample in load_task("finqa", "dev") if sample.turns[0].gold]
    allowed = dict.fromkeys(("all", "gold", "retrieved", "labelled"), 0)
    for name in allowed:
        form: PromptForm = "labelled" if name == "labelled" else "short"
        single = Single("program", ContextOptions("all" if name == "labelled" else name))
        for sample in samples:
            program = sample.turns[0].gold.program
            ids = [*chat.tokenizer(program, add_special_tokens=False)["input_ids"], chat.end_id]
            grammar = program_grammar(opening_of(sample, single, form))
            matcher = llguidance.LLMatcher(tokenizer, llguidance.grammar_from("lark", grammar))
            allowed[name] += matcher.validate_tokens(ids) == len(ids)
        print(f"{name:10} {allowed[name]} of {len(samples)}", flush=True)
    document = {
        "benchmark": "program_coverage",
        "ratio": round(allowed["retrieved"] / allowed["all"], 3),
        "compared": "gold programs that the constraint allows, with retrieved units by whole pages",
        "allowed": allowed,
        "questions": len(samples),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
