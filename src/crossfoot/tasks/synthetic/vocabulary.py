"""The words of synthetic pages: table topics, line items, places, companies, filler sentences.

Example: in the topic "operations" the line ``net sales|sales;money`` has the row header "net sales"
and may be called "sales". Wording after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

from crossfoot.tasks.synthetic.figures import Kind, Line


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of table: what introduces it and which lines it may have."""

    name: str
    intros: tuple[str, ...]
    lines: tuple[Line, ...]
    total: str = ""
    balance: bool = False


def _line(text: str) -> Line:
    names, _, kind = text.strip().partition(";")
    signed = kind.endswith("~")
    header, *others = (name.strip() for name in names.split("|"))
    known: dict[str, Kind] = {
        "": "money",
        "money": "money",
        "percent": "percent",
        "shares": "shares",
        "price": "price",
        "count": "count",
        "index": "index",
        "years": "years",
    }
    return Line(header, (header, *others), known[kind.rstrip("~")], signed)


def _lines(text: str) -> tuple[Line, ...]:
    return tuple(_line(row) for row in text.strip().splitlines() if row.strip())


TOPICS: tuple[Topic, ...] = (
    Topic(
        "operations",
        (
            "the following table presents selected results of operations for the years indicated",
            "the table below sets forth our consolidated results of operations",
            "selected financial data are as follows",
            "the following summarizes the operating results of the segment",
        ),
        _lines("""
net sales|sales|the net sales figure
cost of sales|cost of goods sold|the costs of sales
gross profit|the gross profits
selling general and administrative expenses|sg&a expenses|sg&a
research and development expenses|r&d expenses|research and development costs|r&d
restructuring charges|charges for restructuring|restructuring costs
operating income|income from operations|operating profit
interest expense|the expense for interest|interest costs
interest expense net|net interest expense
income tax expense|taxes on income|income taxes
net income|net earnings|the net income
net income attributable to noncontrolling interests|noncontrolling interests' net income
income before income taxes|pre-tax income|pretax earnings
depreciation and amortization|d&a|depreciation & amortization expense
operating margin|the operating margin percentage;percent
gross margin|gross margin percentage;percent
effective tax rate|tax rate|the effective rate of tax;percent
diluted earnings per share|diluted eps|earnings per diluted share;price
basic earnings per share|basic eps|earnings per basic share;price
dividends declared per share|dividends per share|the dividend declared per share;price
"""),
    ),
    Topic(
        "cash flows",
        (
            "the following table summarizes our cash flows",
            "our cash flows from operating , investing and financing activities are as follows",
            "the following table reconciles cash provided by operating activities to free "
            "cash flow",
        ),
        _lines("""
net cash provided by operating activities|operating cash flow|cash from operations
net cash used in investing activities|investing cash flow|cash used for investing;~
net cash used in financing activities|cash used for financing|financing cash flow;~
capital expenditures|capex|capital spending
dividends paid|the payment of dividends|cash dividends paid
free cash flow|fcf
repurchases of common stock|stock repurchases|share buybacks
proceeds from sale of assets|asset sale proceeds
proceeds from issuance of long-term debt|long-term debt issued
repayments of long-term debt|long-term debt repaid
cash paid for interest|interest paid|the cash paid in interest
cash paid for income taxes|income taxes paid
cash and cash equivalents at end of year|year-end cash and cash equivalents
cash and cash equivalents at beginning of year|cash and cash equivalents at the start of the year
effect of exchange rate changes on cash|exchange rate effects on cash;~
change in working capital|working capital changes;~
"""),
    ),
    Topic(
        "balance sheet",
        (
            "the following table presents selected balance sheet data",
            "the components of our financial position were as follows",
            "total debt and capitalization consisted of the following",
        ),
        _lines("""
cash and cash equivalents|cash & equivalents|cash
accounts receivable net|net accounts receivable|receivables
inventories|the inventory
total current assets|current assets in total
property plant and equipment net|net pp&e|pp&e
goodwill|the balance of goodwill
other intangible assets net|net other intangibles|other intangibles
total assets|the full amount of assets
short-term borrowings|short term debt
current portion of long-term debt|the current maturities of long-term debt
long-term debt|long term debt, excluding the current portion
total debt|the overall debt
total current liabilities|current liabilities in total
deferred income taxes|deferred taxes
accrued liabilities|accruals
total shareholders 2019 equity|shareholders' equity|total equity
retained earnings|earnings retained
working capital|the working capital balance
"""),
        balance=True,
    ),
    Topic(
        "segments",
        (
            "net sales by segment were as follows",
            "the following table provides revenues of our reportable segments",
            "information about our business segments is presented below",
        ),
        _lines("""
industrial products|the industrial products segment
consumer products|consumer product sales
specialty chemicals|the chemicals segment
printing papers|the printing papers business
consumer packaging|the packaging for consumers segment
energy|the energy segment
aerospace|the aerospace business
electronic systems|the electronics segment
health care|healthcare
automotive|the automotive segment
agricultural|agriculture
intermodal|the intermodal business
coal|the coal business
investment management|the asset management segment
investor services|services to investors
treasury services|the treasury services segment
"""),
        total="total net sales|total sales|the overall net sales|total",
    ),
    Topic(
        "regions",
        (
            "revenues by geographic area were as follows",
            "the following table shows our net revenues by region",
            "sales attributed to regions based on the location of the customer are shown below",
        ),
        _lines("""
united states|the us|the u.s.
canada|the canadian market
europe|the european region
latin america|the latin american region
asia-pacific|asia pacific|the asian and pacific region
middle east and africa|the middle east & africa
united kingdom|the uk
japan|the japanese market
mexico|the mexican market
china|the chinese market
germany|the german market
rest of world|the rest of the world
"""),
        total="total revenues|total revenue|the revenues of all regions|total",
    ),
    Topic(
        "expenses",
        (
            "the table below presents our operating expenses",
            "the components of operating expenses are as follows",
            "the following table presents noninterest expense",
        ),
        _lines("""
compensation and benefits|employee compensation and benefits
salaries and wages|wages and salaries
occupancy|occupancy costs
professional fees|fees for professionals
advertising and marketing|marketing and advertising costs
communications and technology|technology and communications expense
travel and entertainment|travel & entertainment
aircraft fuel|fuel costs|the cost of aircraft fuel
aircraft rent|rent of aircraft
maintenance materials and repairs|maintenance and repairs
landing fees and other rentals|landing fees
insurance premiums|premiums for insurance
litigation settlements|settlements of litigation
amortization of intangible assets|intangible amortization
"""),
        total="total operating expenses|total expenses|operating expenses in total",
    ),
    Topic(
        "tax positions",
        (
            "a reconciliation of the beginning and ending amount of unrecognized tax benefits is "
            "as follows",
            "the following is a tabular reconciliation of unrecognized tax benefits",
        ),
        _lines("""
balance at january 1|beginning balance of unrecognized tax benefits|unrecognized tax benefits at the start of the year
additions based on tax positions related to the current year|current year additions
additions for tax positions of prior years|prior year additions
reductions for tax positions of prior years|prior year reductions;~
settlements|the settlements with tax authorities;~
expiration of statutes of limitations|lapse of statutes;~
balance at december 31|ending balance of unrecognized tax benefits|unrecognized tax benefits at the end of the year
"""),
    ),
    Topic(
        "assumptions",
        (
            "the fair value of each option grant was estimated with the following weighted average "
            "assumptions",
            "the black-scholes model used the assumptions in the table below",
        ),
        _lines("""
risk-free interest rate|risk free rate;percent
expected volatility|the volatility expected|volatility;percent
dividend yield|expected dividend yield|the yield of dividends;percent
expected life ( in years )|expected life|the expected term;years
weighted average fair value per option|fair value per option|average fair value of an option;price
discount rate|the rate of discount;percent
expected return on plan assets|return expected on plan assets;percent
rate of compensation increase|compensation increase rate;percent
"""),
    ),
    Topic(
        "pension",
        (
            "the components of net periodic benefit cost were as follows",
            "the following table presents pension and postretirement benefit costs",
        ),
        _lines("""
service cost|the cost of service
interest cost|the cost of interest
expected return on plan assets|the return expected on assets of the plan;~
amortization of prior service cost|prior service cost amortization
amortization of net loss|net loss amortized
curtailments and settlements|curtailment and settlement charges
net periodic benefit cost|periodic benefit cost|the net cost of benefits
benefit obligation at end of year|year-end benefit obligation
fair value of plan assets at end of year|year-end fair value of plan assets
benefits paid|the benefits paid out
employer contributions|contributions by the employer
funded status|the funded status of the plan;~
"""),
    ),
    Topic(
        "shares",
        (
            "the following is a reconciliation of basic shares to diluted shares",
            "share data used in the computation of earnings per share are as follows",
            "activity in shares of common stock was as follows",
        ),
        _lines("""
weighted-average shares - basic|basic weighted-average shares|basic shares;shares
effect of dilutive securities|dilutive securities;shares
weighted-average shares - diluted|diluted weighted-average shares|diluted shares;shares
shares issued under employee stock purchase plan|shares issued under the espp;shares
shares repurchased|repurchased shares;shares
treasury shares|shares held in treasury;shares
average price paid per share|average repurchase price|average price per share;price
options excluded as antidilutive|antidilutive options;shares
"""),
    ),
    Topic(
        "operating statistics",
        (
            "selected operating statistics are as follows",
            "the following table presents operating data of the business",
            "key metrics of our network and workforce are presented below",
        ),
        _lines("""
full-time employees|employees working full-time|the full time headcount;count
part-time employees|employees working part-time;count
number of stores|stores|the count of stores;count
stores opened|newly opened stores;count
stores closed|closed stores;count
customers|the customer base;count
new customers|customers newly acquired;count
facilities owned|owned facilities;count
facilities leased|leased facilities;count
aircraft in service|aircraft operated|planes in service;count
communications sites|communication towers|sites;count
employee turnover|turnover of employees;percent
average occupancy|occupancy on average;percent
passenger load factor|load factor;percent
same-store sales growth|growth in same-store sales|comparable sales growth;percent
"""),
    ),
    Topic(
        "capital",
        (
            "the following table presents capital measures and ratios",
            "regulatory capital is summarized in the table below",
        ),
        _lines("""
tier 1 capital|the tier 1 capital amount
tier 2 capital|the tier 2 capital amount
total capital|overall capital
risk-weighted assets|rwa|assets weighted by risk
tier 1 capital ratio|tier 1 ratio;percent
total capital ratio|the ratio of total capital;percent
tier 1 leverage ratio|leverage ratio;percent
net interest margin|nim|the margin of net interest;percent
net interest income|the income from interest, net
average interest-earning assets|interest earning assets on average
allowance for loan losses|loan loss allowance
net charge-offs|charge-offs, net
"""),
        balance=True,
    ),
    Topic(
        "debt",
        (
            "long-term debt consisted of the following",
            "our outstanding borrowings are summarized below",
            "the carrying amounts of our debt were as follows",
        ),
        _lines("""
senior notes|the senior notes' balance
term loan a|loan a|the first term loan
term loan b|loan b|the second term loan
revolving credit facility|the revolver
commercial paper|the commercial paper program
medium-term notes|medium term notes
convertible debentures|the convertible debt
industrial revenue bonds|revenue bonds
capital lease obligations|obligations under capital leases
mortgage notes payable|mortgages payable
floating rate notes|the notes with floating rate
other borrowings|borrowings of other kinds
"""),
        total="total debt|the total of all debt|overall debt",
        balance=True,
    ),
    Topic(
        "property",
        (
            "property and equipment consisted of the following",
            "the major classes of property , plant and equipment are as follows",
            "inventories and other assets comprised the following",
        ),
        _lines("""
land|the land value
land improvements|improvements of land
buildings and improvements|buildings & improvements
machinery and equipment|machinery & equipment
furniture and fixtures|furniture & fixtures
computer hardware and software|computer hardware & software
leasehold improvements|improvements on leaseholds
construction in progress|construction-in-progress
vehicles|the vehicle fleet
finished goods|inventory of finished goods
raw materials|raw material inventory
work in process|wip|work-in-process
"""),
        total="total|total gross amount|the overall amount",
        balance=True,
    ),
)

ACQUIRED = _lines("""
current assets|the current assets acquired
accounts receivable|receivables acquired
inventory|the inventories acquired
property plant and equipment|pp&e acquired
goodwill|goodwill acquired
trademarks|the trademarks' value
customer relationships|customer relationship intangibles
developed technology|technology developed
in-process research and development|ipr&d|in-process r&d
other intangible assets|other intangibles
other assets|remaining assets
deferred tax assets|the deferred tax asset
""")

BRIDGE = _lines("""
volume/weather|the volume/weather effect;~
retail electric price|the retail electric price variance;~
net wholesale revenue|net wholesale;~
fuel recovery|the recovery of fuel;~
purchased power capacity|the capacity of purchased power;~
transmission revenue|transmission;~
rider revenue|riders' revenue;~
base rates|the base rates' effect;~
reserve equalization|the equalization of reserves;~
summer capacity charges|charges for summer capacity;~
price applied to unbilled sales|unbilled sales price;~
other|the other items;~
""")

COMMITMENTS = _lines("""
long-term debt|long-term debt obligations|long term debt
operating leases|operating lease obligations
capital leases|capital lease obligations
purchase obligations|obligations to purchase
interest on long-term debt|interest payments on debt
pension contributions|contributions to pensions
minimum royalties|royalty minimums
letters of credit|standby letters of credit
other long-term liabilities|other liabilities
guarantees|the guarantees
""")

COMPANIES: tuple[str, ...] = (
    "harlow industries inc .",
    "northfield corporation",
    "pinewood energy partners",
    "calder & finch holdings",
    "vantree technologies inc .",
    "meridian rail corporation",
    "ostrava chemical company",
    "silverline airlines",
    "bexley financial group",
    "lakemont utilities",
    "grantham foods inc .",
    "tessaro medical systems",
    "arrowgate semiconductor",
    "kestrel packaging company",
    "old harbor insurance group",
    "westbrook property trust",
    "quillan pharmaceuticals",
    "dunmore steel corporation",
    "summit ridge retail stores",
    "halvorsen marine inc .",
)
INDEXES: tuple[str, ...] = (
    "s&p 500 index",
    "s&p 500",
    "dow jones transportation average",
    "nasdaq composite index",
    "peer group",
    "s&p financial index",
    "s&p 500 retail index",
    "kbw bank index",
    "s&p information technology index",
    "russell 2000 index",
    "s&p 500 industrials",
)
MEASURES: tuple[tuple[str, str, str], ...] = (
    ("gross carrying amount", "accumulated amortization", "net carrying amount"),
    ("u.s . plans", "international plans", "total plans"),
    ("owned", "leased", "total"),
    ("fixed maturities", "equity securities", "total investments"),
    ("domestic", "foreign", "total"),
    ("company-operated", "franchised", "system total"),
    ("level 2", "level 3", "total fair value"),
    ("funded", "unfunded", "total commitments"),
    ("residential", "commercial", "total customers"),
)
