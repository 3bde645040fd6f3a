"""Single events told in a sentence: notes issued, shares repurchased, awards granted.

Example: "in may 2013 , we issued $ 400 million of 3.25% ( 3.25 % ) senior notes due 2023 ." Events
after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from crossfoot.tasks.synthetic.vocabulary import COMPANIES

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


@dataclass(frozen=True, slots=True)
class Deal:
    """An event: its sentence, its literals by role, and its words by role."""

    kind: str
    sentence: str
    literals: Mapping[str, str]
    words: Mapping[str, str]


def draw_deal(year: int, rng: Random) -> Deal:
    """An event of a year at random."""
    return rng.choice((_notes, _repurchase, _unrecognized, _grant, _stake, _staff))(year, rng)


def _amount(rng: Random, low: float, high: float) -> str:
    value = rng.uniform(low, high)
    return rng.choice((f"{value:.0f}", f"{value:.1f}", f"{value:.1f}"))


def _notes(year: int, rng: Random) -> Deal:
    amount = rng.choice((f"{rng.randrange(50, 1500, 25)}", f"{rng.randrange(100, 1200, 50)}.0"))
    rate = f"{rng.randrange(100, 875) / 100:.2f}%"
    due = str(year + rng.randint(4, 20))
    month = rng.choice(MONTHS)
    sentence = rng.choice(
        (
            f"in {month} {year} , we issued $ {amount} million of {rate} ( {rate[:-1]} % ) senior "
            f"notes due {due} .",
            f"the company sold $ {amount} million aggregate principal amount of {rate} "
            f"( {rate[:-1]} % ) notes due {due} in {month} {year} .",
            f"on {month} 15 , {year} , we completed an offering of $ {amount} million of senior "
            f"notes , bearing interest of {rate} ( {rate[:-1]} % ) and maturing in {due} .",
        )
    )
    return Deal(
        "notes", sentence, {"amount": amount, "rate": rate}, {"due": due, "year": str(year)}
    )


def _repurchase(year: int, rng: Random) -> Deal:
    shares = f"{rng.uniform(1.0, 40.0):.1f}"
    price = rng.uniform(15.0, 120.0)
    cost = f"{float(shares) * price:.0f}"
    left = f"{rng.uniform(1.0, 30.0):.1f}"
    sentence = rng.choice(
        (
            f"during {year} , we repurchased {shares} million shares of our common stock for $ "
            f"{cost} million , and {left} million shares remained available for repurchase .",
            f"in {year} the company bought back {shares} million of its shares at a total cost of "
            f"$ {cost} million ; the program has {left} million shares left .",
        )
    )
    literals = {"shares": shares, "cost": cost, "left": left}
    return Deal("repurchase", sentence, literals, {"year": str(year)})


def _unrecognized(year: int, rng: Random) -> Deal:
    amount = _amount(rng, 2.0, 90.0)
    period = f"{rng.uniform(1.1, 3.9):.1f}"
    sentence = rng.choice(
        (
            f"as of december 31 , {year} , there was $ {amount} million of unrecognized "
            "compensation cost related to unvested awards , expected to be recognized over a "
            f"weighted average period of {period} years .",
            f"unrecognized compensation expense of $ {amount} million at year-end {year} will be "
            f"recognized over a weighted-average period of {period} years .",
        )
    )
    literals = {"amount": amount, "period": period}
    return Deal("unrecognized", sentence, literals, {"year": str(year)})


def _grant(year: int, rng: Random) -> Deal:
    shares = str(rng.choice((rng.randrange(5_000, 900_000, 500), rng.randrange(10_000, 4_000_000))))
    price = f"{rng.uniform(4.0, 130.0):.2f}"
    sentence = rng.choice(
        (
            f"in {year} , we granted {shares} restricted shares with a fair value of $ {price} per "
            "share .",
            f"the company awarded {shares} restricted stock units in {year} at a grant date price "
            f"of $ {price} per unit .",
        )
    )
    noun = (
        "restricted shares granted" if "granted" in sentence else "restricted stock units awarded"
    )
    return Deal(
        "grant", sentence, {"shares": shares, "price": price}, {"year": str(year), "noun": noun}
    )


def _stake(year: int, rng: Random) -> Deal:
    amount = _amount(rng, 20.0, 900.0)
    share = rng.choice((f"{rng.randint(10, 90)}%", f"{rng.uniform(10.0, 60.0):.1f}%"))
    name = rng.choice(COMPANIES).removesuffix(" inc .")
    sentence = rng.choice(
        (
            f"in {year} , we acquired a {share} ( {share[:-1]} % ) interest in {name} for $ "
            f"{amount} million in cash .",
            f"we paid $ {amount} million for {share} ( {share[:-1]} % ) of {name} in {year} .",
        )
    )
    return Deal(
        "stake", sentence, {"amount": amount, "share": share}, {"year": str(year), "name": name}
    )


def _staff(year: int, rng: Random) -> Deal:
    total = rng.randrange(1_200, 90_000, 50)
    part = round(total * rng.uniform(0.1, 0.6))
    group = rng.choice(
        (
            "represented by unions",
            "employed outside the united states",
            "working in manufacturing",
            "working part-time",
        )
    )
    sentence = rng.choice(
        (
            f"as of december 31 , {year} , we had approximately {total} employees , of whom {part} "
            f"were {group} .",
            f"at the end of {year} , {part} of our {total} employees were {group} .",
        )
    )
    return Deal(
        "staff",
        sentence,
        {"total": str(total), "part": str(part)},
        {"year": str(year), "group": group},
    )
