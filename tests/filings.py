"""Records of our own in the formats of FinQA and ConvFinQA, official keys included."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

_PAGE = {
    "filename": "OURS/2016/page_1.pdf",
    "pre_text": ["results of the year are shown below ( in millions ) ."],
    "post_text": ["cash paid for interest was $ 121.1 in 2016 .", "."],
    "table": [["( in millions )", "2016", "2015"], ["revenue", "$ 5829", "$ 5735"]],
}
_OFFICIAL_EXTRAS = {
    "table_ori": [["(In millions)", "2016", "2015"], ["Revenue", "$5,829", "$5,735"]],
    "table_retrieved": [{"score": 0.5, "ind": "table_1"}],
}


def finqa_record(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A question; ``changes`` go into ``qa``."""
    question = {
        "question": "what was the growth rate of revenue?",
        "program": "subtract(5829, 5735), divide(#0, 5735)",
        "exe_ans": 0.01639,
        "answer": "1.6%",
        "gold_inds": {"table_1": "the revenue of 2016 is $ 5829"},
        "steps": [{"op": "minus1-1", "arg1": "5829", "arg2": "5735", "res": "94"}],
        "explanation": "",
        "program_re": "divide(subtract(5829, 5735), 5735)",
    }
    page = copy.deepcopy(_PAGE)
    return (
        page | _OFFICIAL_EXTRAS | {"id": f"OURS/2016/page_1.pdf-{number}", "qa": question | changes}
    )


def convfinqa_record(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A conversation of three turns; ``changes`` go into ``annotation``."""
    annotation = {
        "amt_table": "<table></table>",
        "original_program": "subtract(5829, 5735), divide(#0, 5735)",
        "step_list": ["Ask for number 5829"],
        "dialogue_break": [
            "what was the revenue in 2016?",
            "and in percent more than in 2015?",
            "was it higher?",
        ],
        "dialogue_break_ori": ["what was the revenue in 2016?"],
        "turn_program": [
            "5829",
            "subtract(5829, 5735), divide(#0, 5735)",
            "greater(5829, 5735)",
        ],
        "turn_program_ori": ["5829"],
        "exe_ans_list": [5829, 0.01639, "yes"],
        "qa_split": [0, 0, 0],
    }
    page = copy.deepcopy(_PAGE)
    own = {"id": f"Single_OURS/2016/page_1.pdf-{number}", "annotation": annotation | changes}
    return page | _OFFICIAL_EXTRAS | own | {"qa": finqa_record()["qa"]}


def write(path: Path, records: Any) -> Path:
    """Write records as a JSON file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records), encoding="utf-8")
    return path
