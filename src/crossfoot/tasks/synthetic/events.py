"""Single events told in a sentence, and conversations about them.

Example: "in may 2013 , we issued $ 400 million of 3.25% ( 3.25 % ) senior notes due 2023 ." is
asked for its annual interest, ``multiply(400, 3.25%)``. Events and decompositions follow the
training files of FinQA and ConvFinQA (Chen et al. 2021 and 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from crossfoot.tasks.synthetic.asking import Asked
from crossfoot.tasks.synthetic.wordlists import section

# A script is a row of turns: the section of the question, then the program.
Script = tuple[tuple[str, str], ...]

_INTEREST = "multiply({amount}, {rate})"
_PRICE = "divide({cost}, {shares})"
_VALUE = "multiply({shares}, {price})"
_OTHERS = "subtract({total}, {part})"
_NOTES: Script = (
    ("notes amount", "{amount}"),
    ("notes rate", "{rate}"),
    ("notes interest", _INTEREST),
)
_NOTES_TURNED: Script = (
    ("notes rate first", "{rate}"),
    ("notes amount then", "{amount}"),
    ("notes interest", _INTEREST),
)
_REPURCHASE: Script = (
    ("repurchase cost", "{cost}"),
    ("repurchase shares", "{shares}"),
    ("repurchase price", _PRICE),
)
_REST: Script = (
    ("repurchase left", "{left}"),
    ("repurchase rest", f"{_PRICE}, multiply(#0, {{left}})"),
)
_UNRECOGNIZED: Script = (("unrecognized amount", "{amount}"), ("unrecognized period", "{period}"))
_DOLLARS = "multiply({amount}, const_1000000)"
_STAFF: Script = (("staff part", "{part}"), ("staff total", "{total}"))
_EFFECT = "multiply({old}, {rate})"
_FREE = "subtract({size}, {drawn})"
_WITHOUT = ("driver without", f"{_EFFECT}, subtract({{new}}, #0)")
_FACILITY: Script = (
    ("facility size", "{size}"),
    ("facility drawn", "{drawn}"),
    ("facility free", _FREE),
)
_IN_MILLIONS = ("grant millions", f"{_VALUE}, divide(#0, const_1000000)")

SCRIPTS: Mapping[str, tuple[Script, ...]] = {
    "notes": (
        _NOTES,
        (*_NOTES, ("notes half", f"{_INTEREST}, divide(#0, const_2)")),
        (*_NOTES, ("notes three", f"{_INTEREST}, multiply(#0, const_3)")),
        (*_NOTES_TURNED, ("notes dollars", f"{_INTEREST}, multiply(#0, const_1000000)")),
        _NOTES_TURNED,
        (
            ("notes interest first", _INTEREST),
            ("notes half", f"{_INTEREST}, divide(#0, const_2)"),
        ),
    ),
    "repurchase": (
        _REPURCHASE,
        (*_REPURCHASE, *_REST),
        (("repurchase price first", _PRICE), *_REST),
    ),
    "unrecognized": (
        (*_UNRECOGNIZED, ("unrecognized yearly", "divide({amount}, {period})")),
        (*_UNRECOGNIZED, ("unrecognized yearly", "divide({amount}, {period})")),
        (
            *_UNRECOGNIZED,
            ("unrecognized dollars", _DOLLARS),
            ("unrecognized dollars yearly", f"{_DOLLARS}, divide(#0, {{period}})"),
        ),
    ),
    "grant": (
        (("grant shares", "{shares}"), ("grant price", "{price}"), ("grant value", _VALUE)),
        (
            ("grant shares", "{shares}"),
            ("grant price", "{price}"),
            ("grant value", _VALUE),
            _IN_MILLIONS,
        ),
        (("grant value first", _VALUE), _IN_MILLIONS),
    ),
    "stake": (
        (
            ("stake amount", "{amount}"),
            ("stake share", "{share}"),
            ("stake whole", "divide({amount}, {share})"),
        ),
    ),
    "staff": (
        (*_STAFF, ("staff portion", "divide({part}, {total})")),
        (("staff portion first", "divide({part}, {total})"), ("staff others", _OTHERS)),
        (
            *_STAFF,
            ("staff others", _OTHERS),
            ("staff others portion", f"{_OTHERS}, divide(#0, {{total}})"),
        ),
    ),
    "driver": (
        (
            ("driver base", "{old}"),
            ("driver rate", "{rate}"),
            ("driver amount", _EFFECT),
            _WITHOUT,
        ),
        (("driver rate", "{rate}"), ("driver amount", _EFFECT), _WITHOUT),
        (("driver amount first", _EFFECT), _WITHOUT),
        (
            ("driver amount first", _EFFECT),
            ("driver dollars", f"{_EFFECT}, multiply(#0, const_1000000)"),
        ),
    ),
    "facility": (
        _FACILITY,
        (*_FACILITY, ("facility rest", f"{_FREE}, subtract(#0, {{letters}})")),
        (*_FACILITY, ("facility free share", f"{_FREE}, divide(#0, {{size}})")),
        (("facility share", "divide({drawn}, {size})"), ("facility letters", "{letters}")),
    ),
}


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its sentence, and the figures and words that its questions are filled with."""

    kind: str
    sentence: str
    words: Mapping[str, str]


def draw_event(year: int, rng: Random) -> Event:
    """An event of a year at random."""
    kind = rng.choice(tuple(SCRIPTS))
    words = {
        "year": str(year),
        "earlier": str(year - 1),
        "month": rng.choice(section("events", "months")),
        **_figures(rng)[kind],
    }
    words["due"] = str(year + rng.randint(4, 20))
    words["bare"] = words.get("rate", words.get("share", "")).rstrip("%")
    return Event(kind, rng.choice(section("events", kind)).format(**words), words)


def talk_of(event: Event, rng: Random) -> Asked:
    """The turns of one of the event's scripts."""
    return [
        (rng.choice(section("events", title)).format(**event.words), program.format(**event.words))
        for title, program in rng.choice(SCRIPTS[event.kind])
    ]


def _figures(rng: Random) -> Mapping[str, dict[str, str]]:
    """Figures for an event of each kind."""
    total = rng.randrange(1_200, 90_000, 50)
    bought = f"{rng.uniform(1.0, 40.0):.1f}"
    old, size = rng.uniform(40.0, 6000.0), rng.randrange(100, 3000, 50)
    rate, little = rng.sample(range(1, 10), 2)
    cause, other = rng.sample(section("events", "causes"), 2)
    granted = rng.choice((rng.randrange(5_000, 900_000, 500), rng.randrange(10_000, 4_000_000)))
    return {
        "notes": {
            "amount": rng.choice(
                (f"{rng.randrange(50, 1500, 25)}", f"{rng.randrange(100, 900, 50)}.0")
            ),
            "rate": f"{rng.randrange(100, 875) / 100:.2f}%",
        },
        "repurchase": {
            "shares": bought,
            "cost": f"{float(bought) * rng.uniform(15.0, 120.0):.0f}",
            "left": f"{rng.uniform(1.0, 30.0):.1f}",
        },
        "unrecognized": {
            "amount": f"{rng.uniform(2.0, 90.0):.{rng.randrange(2)}f}",
            "period": f"{rng.uniform(1.1, 3.9):.1f}",
        },
        "grant": {"shares": str(granted), "price": f"{rng.uniform(4.0, 130.0):.2f}"},
        "stake": {
            "amount": f"{rng.uniform(20.0, 900.0):.{rng.randrange(2)}f}",
            "share": rng.choice((f"{rng.randint(10, 90)}%", f"{rng.uniform(10.0, 60.0):.1f}%")),
            "name": rng.choice(section("lines", "companies")).removesuffix(" inc ."),
        },
        "staff": {
            "total": str(total),
            "part": str(round(total * rng.uniform(0.1, 0.6))),
            "group": rng.choice(section("events", "groups")),
        },
        "driver": {
            "old": f"{old:.0f}",
            "new": f"{old * (1.0 + (rate + little) / 100.0):.0f}",
            "rate": f"{rate}%",
            "little": f"{little}%",
            "least": str(little),
            "cause": cause,
            "other": other,
            "segment": rng.choice(section("events", "segments")),
        },
        "facility": {
            "size": str(size),
            "drawn": f"{size * rng.uniform(0.1, 0.6):.1f}",
            "letters": f"{size * rng.uniform(0.01, 0.2):.1f}",
            "line": rng.choice(section("events", "facilities")),
        },
    }
