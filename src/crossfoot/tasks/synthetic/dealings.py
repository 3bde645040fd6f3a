"""Conversations on single events told in the text: notes, repurchases, awards, stakes, staff.

Example: "what was the annual interest on those notes?" is ``multiply(400, 3.25%)``. The plans follow
the text questions of the ConvFinQA training conversations (Chen et al. 2022).
"""

from __future__ import annotations

from random import Random

from crossfoot.tasks.synthetic.conversations import Asked
from crossfoot.tasks.synthetic.deals import Deal
from crossfoot.tasks.synthetic.wording import finish


def talk_of(deal: Deal, rng: Random) -> Asked:
    """The turns on one event."""
    turns = {
        "notes": _notes,
        "repurchase": _repurchase,
        "unrecognized": _unrecognized,
        "grant": _grant,
        "stake": _stake,
        "staff": _staff,
    }[deal.kind](deal, rng)
    return [(finish(question), program) for question, program in turns]


def _notes(deal: Deal, rng: Random) -> Asked:
    amount, rate, due = deal.literals["amount"], deal.literals["rate"], deal.words["due"]
    asked = [
        (
            rng.choice(
                (
                    f"what was the principal amount of the notes due {due}?",
                    f"how much was issued of the senior notes due {due}, in millions?",
                    f"what was the amount, in millions, of the notes maturing in {due}?",
                    f"what was the value of the notes issued that mature in {due}?",
                )
            ),
            amount,
        ),
        (
            rng.choice(
                (
                    "and what was their interest rate?",
                    "what is the interest rate on those notes?",
                    "what rate do they bear?",
                    f"what was the interest rate of the notes due {due}?",
                )
            ),
            rate,
        ),
    ]
    if rng.random() < 0.4:
        asked.reverse()
        asked[0] = (f"what is the interest rate of the notes due {due}?", rate)
        asked[1] = (
            rng.choice(
                (
                    "and what was the principal amount?",
                    "what was the amount of those notes, in millions?",
                )
            ),
            amount,
        )
    interest = f"multiply({amount}, {rate})"
    asked.append(
        (
            rng.choice(
                (
                    "what is, then, the annual interest on these notes?",
                    "so how much interest is due on them each year?",
                    "what is the product of the two, or the yearly interest expense?",
                    "how much is the annual interest payment, in millions?",
                )
            ),
            interest,
        )
    )
    more = rng.random()
    if more < 0.25:
        asked.append(
            (
                rng.choice(("and what is that in dollars?", "what is that value times 1000000?")),
                f"{interest}, multiply(#0, const_1000000)",
            )
        )
    elif more < 0.45:
        asked.append(
            (
                rng.choice(
                    (
                        "and half of that, for a semi-annual payment?",
                        "how much is each semi-annual payment?",
                        "what is that divided by 2?",
                    )
                ),
                f"{interest}, divide(#0, const_2)",
            )
        )
    elif more < 0.6:
        asked.append(
            (
                rng.choice(
                    ("and how much interest is that over three years?", "what is that times 3?")
                ),
                f"{interest}, multiply(#0, const_3)",
            )
        )
    return asked


def _repurchase(deal: Deal, rng: Random) -> Asked:
    shares, cost, left = (deal.literals[name] for name in ("shares", "cost", "left"))
    year = deal.words["year"]
    asked = [
        (
            rng.choice(
                (
                    f"what was the cost of the shares repurchased in {year}, in millions?",
                    f"how much was spent on share repurchases in {year}?",
                    f"what was the total cost of the buyback in {year}?",
                )
            ),
            cost,
        ),
        (
            rng.choice(
                (
                    "and how many shares were repurchased, in millions?",
                    "what was the number of shares bought back?",
                    f"how many million shares were repurchased in {year}?",
                )
            ),
            shares,
        ),
    ]
    if rng.random() < 0.35:
        asked = []
    price = f"divide({cost}, {shares})"
    asked.append(
        (
            rng.choice(
                (
                    f"what was the average cost per share of the shares repurchased in {year}?",
                    f"what was the cost per share paid in the {year} repurchase?",
                    f"what was, then, the average price paid for each share repurchased in {year}?",
                )
            ),
            price,
        )
    )
    if rng.random() < 0.6:
        asked.append(
            (
                rng.choice(
                    (
                        "how many million shares remain available for repurchase?",
                        "and what is the number of shares still available to be repurchased, "
                        "in millions?",
                    )
                ),
                left,
            )
        )
        asked.append(
            (
                rng.choice(
                    (
                        "considering that same cost per share, what would be the cost to "
                        "repurchase the remaining shares, in millions?",
                        "what would the total cost be to purchase the remaining shares at "
                        "that price?",
                        "at that average cost, how much would it take to buy the remaining shares?",
                    )
                ),
                f"{price}, multiply(#0, {left})",
            )
        )
    return asked


def _unrecognized(deal: Deal, rng: Random) -> Asked:
    amount, period, year = deal.literals["amount"], deal.literals["period"], deal.words["year"]
    asked = [
        (
            rng.choice(
                (
                    f"what was the unrecognized compensation cost at the end of {year}, in "
                    "millions?",
                    f"what was the amount of unrecognized compensation expense in {year}?",
                    f"as of december 31, {year}, how much compensation cost was not yet "
                    "recognized?",
                )
            ),
            amount,
        ),
        (
            rng.choice(
                (
                    "over what weighted average period is it expected to be recognized?",
                    "and what is the weighted-average period of its recognition, in years?",
                    "and over how many years will it be recognized?",
                )
            ),
            period,
        ),
        (
            rng.choice(
                (
                    "what is, then, the annual compensation expense?",
                    "so how much is that per year?",
                    "what is the amount divided by the period?",
                    "what is the average annual expense?",
                )
            ),
            f"divide({amount}, {period})",
        ),
    ]
    if rng.random() < 0.3:
        asked[2] = (
            rng.choice(("what is the first amount in dollars?", "what is that cost in dollars?")),
            f"multiply({amount}, const_1000000)",
        )
        asked.append(
            (
                rng.choice(("and that amount per year?", "what is that divided by the period?")),
                f"multiply({amount}, const_1000000), divide(#0, {period})",
            )
        )
    return asked


def _grant(deal: Deal, rng: Random) -> Asked:
    shares, price = deal.literals["shares"], deal.literals["price"]
    year, noun = deal.words["year"], deal.words["noun"]
    asked = [
        (
            rng.choice(
                (
                    f"how many {noun.replace(' granted', '').replace(' awarded', '')} were "
                    f"granted in {year}?",
                    f"what was the number of {noun} in {year}?",
                    f"what was the total of {noun} in {year}?",
                )
            ),
            shares,
        ),
        (
            rng.choice(
                (
                    "and what was the fair value of each of them?",
                    "what was the grant date price?",
                    "and the price of each?",
                    "at what value each?",
                )
            ),
            price,
        ),
    ]
    if rng.random() < 0.3:
        asked = []
    value = f"multiply({shares}, {price})"
    asked.append(
        (
            rng.choice(
                (
                    f"what was the total value of the {noun} in {year}?",
                    f"what was, then, the total fair value of the {noun} in {year}?",
                )
            )
            if not asked
            else rng.choice(
                (
                    "what was, then, the total value of the grant?",
                    "what is the product of these two?",
                    "so how much were they worth in total?",
                    "what is the total value?",
                )
            ),
            value,
        )
    )
    asked.append(
        (
            rng.choice(
                (
                    "and how much is that in millions?",
                    "what is that value divided by 1000000?",
                    "what about in millions?",
                )
            ),
            f"{value}, divide(#0, const_1000000)",
        )
    )
    return asked


def _stake(deal: Deal, rng: Random) -> Asked:
    amount, share = deal.literals["amount"], deal.literals["share"]
    name = deal.words["name"]
    return [
        (
            rng.choice(
                (
                    f"how much was paid for the interest in {name}, in millions?",
                    f"what was the price paid for the {name} stake?",
                    f"what was the amount paid to acquire part of {name}?",
                )
            ),
            amount,
        ),
        (
            rng.choice(
                (
                    "and what percentage was acquired?",
                    "what was the acquired interest, as a percentage?",
                    f"what share of {name} was acquired?",
                    "and what portion of the company did that buy?",
                )
            ),
            share,
        ),
        (
            rng.choice(
                (
                    "what is, then, the implied value of the whole company?",
                    "so what total value of the company does that imply, in millions?",
                    "what is the amount paid divided by that percentage?",
                )
            ),
            f"divide({amount}, {share})",
        ),
    ]


def _staff(deal: Deal, rng: Random) -> Asked:
    total, part = deal.literals["total"], deal.literals["part"]
    group, year = deal.words["group"], deal.words["year"]
    asked = [
        (
            rng.choice(
                (
                    f"how many employees were {group} in {year}?",
                    f"as of december 31, {year}, what was the number of employees {group}?",
                    f"what was the number of employees {group} at the end of {year}?",
                )
            ),
            part,
        ),
        (
            rng.choice(
                (
                    "and what was the total number of employees?",
                    "how many employees were there in total?",
                    "out of how many employees?",
                )
            ),
            total,
        ),
    ]
    style = rng.random()
    if style < 0.3:
        return [
            (
                rng.choice(
                    (
                        f"what percentage of employees were {group} in {year}?",
                        f"as of december 31, {year}, what portion of the employees were {group}?",
                    )
                ),
                f"divide({part}, {total})",
            ),
            (
                rng.choice(
                    ("and how many employees were not?", f"how many employees were not {group}?")
                ),
                f"subtract({total}, {part})",
            ),
        ]
    if style < 0.75:
        asked.append(
            (
                rng.choice(
                    (
                        "what percentage do the first ones represent?",
                        "what portion of the total is that?",
                        "and how much does that represent in relation to the total, in percentage?",
                        f"what percentage of all employees were, then, {group}?",
                    )
                ),
                f"divide({part}, {total})",
            )
        )
    else:
        asked.append(
            (
                rng.choice(
                    (
                        f"how many employees, then, were not {group}?",
                        "what is the difference between the two?",
                        "how many employees does that leave?",
                    )
                ),
                f"subtract({total}, {part})",
            )
        )
        asked.append(
            (
                rng.choice(
                    (
                        "and what percentage of the total are they?",
                        "what is that as a portion of all employees?",
                    )
                ),
                f"subtract({total}, {part}), divide(#0, {total})",
            )
        )
    return asked
