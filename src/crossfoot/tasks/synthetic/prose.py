"""Sentences of synthetic pages: statements that carry figures, and filler that carries none.

Example: "rent expense was $ 92.3 million , $ 84.9 million and $ 58.8 million in 2019 , 2018 and
2017 , respectively ." Wording after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

# Lines that pages tell in a sentence; the kinds are those of the table lines.
TOLD: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "rental expense under operating leases",
        ("rent expense", "the expense for rent", "operating lease rent expense"),
        "money",
    ),
    (
        "stock-based compensation expense",
        ("share-based compensation", "expense for stock-based compensation"),
        "money",
    ),
    ("advertising costs", ("advertising expense", "the cost of advertising"), "money"),
    (
        "amortization expense of intangible assets",
        ("intangible amortization expense", "amortization of intangibles"),
        "money",
    ),
    (
        "contributions to the defined contribution plan",
        ("defined contribution plan contributions", "401 ( k ) contributions"),
        "money",
    ),
    (
        "the total intrinsic value of options exercised",
        ("intrinsic value of exercised options", "exercised options' intrinsic value"),
        "money",
    ),
    (
        "the fair value of shares vested",
        ("fair value of vested shares", "vested shares' fair value"),
        "money",
    ),
    (
        "the allowance for doubtful accounts",
        ("doubtful accounts allowance", "allowance for doubtful receivables"),
        "money",
    ),
    (
        "accrued interest and penalties",
        ("interest and penalties accrued", "accrued penalties and interest"),
        "money",
    ),
    (
        "the liability for environmental remediation",
        ("environmental remediation liability", "environmental liability"),
        "money",
    ),
    (
        "capitalized interest",
        ("interest capitalized", "the amount of interest capitalized"),
        "money",
    ),
    (
        "equity in earnings of affiliates",
        ("affiliates' equity earnings", "equity earnings from affiliates"),
        "money",
    ),
    (
        "asset impairment charges",
        ("impairment charges", "charges for impairment of assets"),
        "money",
    ),
    ("backlog", ("the order backlog", "total backlog"), "money"),
    ("warranty expense", ("expense for warranties", "warranty costs"), "money"),
    (
        "the valuation allowance on deferred tax assets",
        ("deferred tax valuation allowance", "valuation allowance"),
        "money",
    ),
    (
        "the effective income tax rate",
        ("effective income tax rate", "rate of income tax"),
        "percent",
    ),
    (
        "the weighted average interest rate on commercial paper",
        ("commercial paper interest rate", "average rate on commercial paper"),
        "percent",
    ),
    ("the annual churn rate", ("churn", "rate of customer churn"), "percent"),
    (
        "the share of sales to the largest customer",
        ("largest customer's share of sales", "portion of sales to the largest customer"),
        "percent",
    ),
    (
        "the number of unvested restricted stock units",
        ("unvested restricted stock units", "unvested rsus"),
        "shares",
    ),
    (
        "the number of antidilutive options",
        ("antidilutive stock options", "options left out as antidilutive"),
        "shares",
    ),
    (
        "the weighted average grant date fair value per option",
        ("average grant date fair value of options", "grant date fair value per option"),
        "price",
    ),
    (
        "the closing price of our common stock",
        ("closing stock price", "common stock closing price"),
        "price",
    ),
    ("the number of holders of record", ("holders of record", "record holders"), "count"),
    ("the number of leased locations", ("leased locations", "locations under lease"), "count"),
)

# {x} the line; {v} the figures in order; {y} the years in order.
SERIES: tuple[str, ...] = (
    "{x} was {v} in {y} , respectively .",
    "{x} amounted to {v} for the years {y} , respectively .",
    "for the years ended december 31 , {y} , {x} was {v} , respectively .",
    "{x} totaled {v} during {y} , respectively .",
    "we recorded {x} of {v} in {y} , respectively .",
    "as of december 31 , {y} , {x} was {v} , respectively .",
    "in {y} , {x} came to {v} , respectively .",
)
PAIRS: tuple[str, ...] = (
    "{x} was {a} in {p} , compared to {b} in {q} .",
    "{x} was {a} in {p} as compared with {b} in {q} .",
    "in {p} , {x} was {a} , against {b} in {q} .",
    "{x} moved from {b} in {q} to {a} in {p} .",
    "{x} in {p} and {q} was {a} and {b} , respectively .",
    "at december 31 , {p} , {x} was {a} ( {b} at december 31 , {q} ) .",
)
TRIPLES: tuple[str, ...] = (
    "{x} was {a} in {p} , {b} in {q} and {c} in {r} .",
    "{x} of {a} in {p} followed {b} in {q} and {c} in {r} .",
    "{x} was {a} for {p} , compared to {b} for {q} and {c} for {r} .",
)

FILLER: tuple[str, ...] = (
    "notes to consolidated financial statements 2014 ( continued ) .",
    "management 2019s discussion and analysis of financial condition and results of operations .",
    "these amounts should be read together with the consolidated financial statements and the "
    "notes thereto included elsewhere in this report .",
    "we assess the recoverability of long-lived assets whenever events or changes in circumstances "
    "indicate that the carrying amount may not be recoverable .",
    "the company believes that its existing sources of liquidity are sufficient to meet its needs "
    "for the foreseeable future .",
    "we use the asset and liability method of accounting for income taxes .",
    "the company is subject to income taxes in the united states and in many foreign "
    "jurisdictions .",
    "certain prior year amounts have been reclassified to conform to the current year "
    "presentation .",
    "the fair value was determined using level 3 inputs as defined in the accounting guidance .",
    "we do not believe that the resolution of these matters will have a material adverse effect on "
    "our financial position .",
    "stock-based awards are expensed on a straight-line basis over the requisite service period .",
    "the decrease was driven by lower volumes , partially offset by favorable pricing .",
    "the increase primarily reflected higher volumes and a favorable product mix .",
    "the agreements contain customary covenants , and the company was in compliance with all of "
    "them at the balance sheet date .",
    "rent is recognized on a straight-line basis over the term of the lease .",
    "foreign currency translation adjustments are recorded in accumulated other comprehensive "
    "income .",
    "the preparation of financial statements requires management to make estimates and "
    "assumptions .",
    "shares may be repurchased from time to time in the open market or in privately negotiated "
    "transactions .",
    "see note 9 for additional information about these arrangements .",
    "amounts may not add due to rounding .",
    "the plan is administered by the compensation committee of the board of directors .",
    "changes in these assumptions could have a material effect on the amounts reported .",
    "we review our reserves quarterly and adjust them as new information becomes available .",
    "quantitative and qualitative disclosures about market risk are given in item 7a .",
    "the notes are unsecured and rank equally with all of our other senior indebtedness .",
    "goodwill is tested for impairment annually in the fourth quarter .",
    "the company provides services to a broad base of customers , none of which is concentrated "
    "in a single industry .",
    "table of contents .",
)

# {m} millions, {n} a count, {y} and {z} years, {p} a percentage, {name} a company.
NUMERIC: tuple[str, ...] = (
    "in {y} , we entered into a $ {m} million revolving credit facility that expires in {z} .",
    "the credit agreement with {name} matures in {z} and may be increased by $ {m} million .",
    "in april {y} , the board approved a plan that affects {n} locations .",
    "we recorded a gain of $ {m} million on the sale of {name} in {y} .",
    "the company is party to {n} lawsuits with {name} , of which {p}% ( {p} % ) were settled .",
    "in {y} we adopted the new accounting standard , which increased other liabilities by $ {m} "
    "million .",
    "the facility in question covers {n} acres and was sold to {name} in {y} .",
    "a tax refund of $ {m} million was received from the state authorities in {y} .",
    "the joint venture with {name} , which is {p}% ( {p} % ) owned , ended in {z} .",
    "approximately {p}% ( {p} % ) of these derivative contracts expire before {z} .",
    "net operating losses of $ {m} million expire between {y} and {z} .",
    "we pay an annual commitment fee of {p} basis points on the unused balance of $ {m} million .",
    "during {y} , {n} claims were filed and $ {m} million was paid into escrow .",
    "the acquisition of {name} in {y} added {n} sites for a price of $ {m} million .",
)
