"""The wording of questions, many paraphrases a kind.

Example: ``{x}`` the line, ``{w}`` where or when ("in 2016"), ``{s}`` the slot alone ("2016");
"what {be} the {x} {w}?" is "what was the net income in 2016?". Wording after the turns of the
ConvFinQA training conversations (Chen et al. 2022).
"""

from __future__ import annotations

LOOKUP = (
    "what {be} the {x} {w}?",
    "what {be} the {x} {w}?",
    "what {be} the {x} {w}?",
    "what {be} {x} {w}?",
    "what {be} {x} {w}?",
    "what {was} the value of {x} {w}?",
    "what {was} the value of the {x} {w}?",
    "what {was} the amount of {x} {w}?",
    "{w}, what {be} the {x}?",
    "what {be} the {s} {x}?",
    "what {be} {s} {x}?",
    "what is the {x} {w}?",
    "what is the value of {x} {w}?",
    "what {be} the {x} of {s}?",
    "what {be} the reported {x} {w}?",
    "{w}, what {was} the value of {x}?",
    "what is the {x} figure {w}?",
    "what {was} the {x} value {w}?",
    "{x} {w}?",
    "what number {was} reported for {x} {w}?",
    "can you give the {x} {w}?",
    "what {be} the {x} recorded {w}?",
    "how much {be} the {x} {w}?",
)
LOOKUP_PLAIN = (
    "what {be} the {x}?",
    "what {was} the value of {x}?",
    "what is the value of the {x}?",
    "what is the amount of {x}?",
    "what {was} the amount for {x}?",
    "what is the {x}?",
    "how much {be} the {x}?",
    "what {was} the {x} amount?",
    "what number {was} given for {x}?",
)
LOOKUP_MONEY = (
    "how much {be} {x} {w}?",
    "what {be} the {x} {w}, in {scale}?",
    "what {was} the amount, in {scale}, of {x} {w}?",
    "how much did {x} come to {w}?",
    "what {be} the {x} {w}, in {scale} of dollars?",
    "{w}, what {be} the {x}, in {scale}?",
)
LOOKUP_COUNT = (
    "how many {x} were there {w}?",
    "what {was} the number of {x} {w}?",
    "how many {x} did the company have {w}?",
    "{w}, how many {x} were there?",
    "what {was} the count of {x} {w}?",
)
LOOKUP_PERCENT = (
    "what {be} the {x} {w}?",
    "what percentage {was} the {x} {w}?",
    "what {be} the {x}, as a percent, {w}?",
    "what percent {was} reported as {x} {w}?",
)
# The same line in another slot.
AND_SLOT = (
    "and {w}?",
    "and {w}?",
    "what about {w}?",
    "what about {w}?",
    "what about {s}?",
    "and for {s}?",
    "and what {was} it {w}?",
    "what {was} it {w}?",
    "what {was} the value {w}?",
    "what {was} the {s} value?",
    "and that of {s}?",
    "what is that for {s}?",
    "what {was} that value {w}?",
    "and what {was} that {w}?",
    "and the value {w}?",
    "how about {w}?",
    "and the number {w}?",
    "and the one {w}?",
    "what {was} the amount {w}?",
    "and what {was} its value {w}?",
    "what of {s}?",
    "and what {was} that amount {w}?",
    "what {was} the figure {w}?",
    "and what {be} the {x} {w}?",
    "what {be} the {x} {w}?",
)
AND_BEFORE = (
    "and in the previous year?",
    "and for the previous year?",
    "what about the year before?",
    "and what was it in the prior year?",
    "and the year before that?",
    "what was it the year before?",
    "what was the value in the prior year?",
    "and in the year prior?",
)
AND_AFTER = (
    "and in the following year?",
    "what about the next year?",
    "and for the year after?",
    "and what was it in the subsequent year?",
    "what was the value in the next year?",
)
# Another line in the same slot.
AND_LINE = (
    "and what {be} the {x} in that same year?",
    "what about the {x}?",
    "and the {x}?",
    "what about {x}?",
    "what about the value of {x}?",
    "and what {be} the {x}?",
    "what {be} the {x} in that year?",
    "in that same year, what {be} the {x}?",
    "and for {x}?",
    "what {be} the {x} for the same year?",
    "and what {was} the value for {x}?",
)
AND_LINE_PLAIN = (
    "what about the {x}?",
    "and the {x}?",
    "what about {x}?",
    "and what {be} the {x}?",
    "and what {was} the value of {x}?",
    "and for {x}?",
    "what {be} the {x}?",
    "what {was} the amount of {x}?",
    "and how much {be} {x}?",
)
# Once more.
AGAIN = (
    "what {was} the value {w}?",
    "what {was} the {s} value?",
    "and what {was} it {w} again?",
    "what {be} the {x} {w}?",
    "and the value {w} again?",
    "what {be} the {x} {w} again?",
    "and the value for {s} specifically?",
    "what {was} the value of {x} {w}?",
)
CHANGE_NOW = (
    "what was the change?",
    "what is the net change?",
    "what was the net change?",
    "what is the difference?",
    "what was the difference between the two?",
    "so what was the difference between these two values?",
    "what was, then, the change?",
    "so what was the change during this time?",
    "what was, then, the change over the years?",
    "what is, then, the difference between these values?",
    "what was the change in value?",
    "and what was the change between them?",
    "by how much did it change?",
    "so what was the difference between the two years?",
    "how much did it change over that period?",
    "what is the net change in value?",
    "what was the change in the {x}?",
    "what is the change between these two years?",
    "and the difference between these two years?",
)
CHANGE_FULL = (
    "what was the change in {x} from {old} to {new}?",
    "what was the change in the {x} from {old} to {new}?",
    "what is the net change in {x} from {old} to {new}?",
    "what was the net change in {x} between {old} and {new}?",
    "by how much did {x} change from {old} to {new}?",
    "between {old} and {new}, what was the change in {x}?",
    "what was the difference in {x} from {old} to {new}?",
    "how much did the {x} change between {old} and {new}?",
    "what was the change in value for {x} from {old} to {new}?",
    "what was the variation in {x} from {old} to {new}?",
    "from {old} to {new}, what was the change in the {x}?",
    "by how much did the {x} move from {old} to {new}?",
    "what is the difference in {x} between {old} and {new}?",
    "in the period from {old} to {new}, what was the change in {x}?",
    "what is the {new} {x} less the {old} {x}?",
    "how much did {x} vary between {old} and {new}?",
)
INCREASE_FULL = (
    "what was the increase in {x} from {old} to {new}?",
    "by how much did {x} increase from {old} to {new}?",
    "what was the increase observed in the {x} between {old} and {new}?",
    "how much did {x} grow from {old} to {new}?",
    "what was the rise in {x} during this period, from {old} to {new}?",
)
PERCENT_NOW = (
    "what is the percent change?",
    "what was the percent change?",
    "what percentage change does this represent?",
    "and the percentage change?",
    "what growth rate does this represent?",
    "so what was the percentage change over this time?",
    "and how much does this change represent in relation to the {old} value, in percentage?",
    "how much, then, does that change represent in relation to the {old} value?",
    "and what is this change as a percentage of that {x} in {old}?",
    "what is that change over the {old} value?",
    "and what percentage does this change represent in relation to the {x} in {old}?",
    "what is the net change divided by the {old} value?",
    "and the percentage change during this time?",
    "what is the change as a percentage of the {old} figure?",
    "and as a percentage of the original value?",
    "how much does that difference represent, in percentage, in relation to the {x} in the "
    "year of {old}?",
    "so what was the growth rate during this time?",
    "what is the rate of change?",
    "and what was this change as a portion of the {x} in {old}?",
    "what is the difference over the {old} value?",
)
PERCENT_LEAD = (
    "and in percentage terms, what was the change?",
    "what was the percentage change in {x} from {old} to {new}?",
    "what was the percent change in {x} between {old} and {new}?",
    "what was the growth rate of {x} from {old} to {new}?",
    "what percentage did {x} change from {old} to {new}?",
    "what was the rate of change of {x} from {old} to {new}, in percentage?",
    "in percentage, how much did {x} change from {old} to {new}?",
)
SUM_NOW = (
    "what is the sum?",
    "what is the total?",
    "what was, then, the total of the two?",
    "what is the combined value?",
    "what is the sum of these two values?",
    "combined, what is the total value?",
    "and what was the total for these two years?",
    "what is, then, the sum of both?",
    "what do they add up to?",
    "what was the total for both years?",
)
SUM_FULL = (
    "what was the total {x} in {a} and {b}?",
    "what is the sum of {x} in {a} and {b}?",
    "what was the combined {x} for {a} and {b}?",
    "what was the total of {x} for {a} and {b}, combined?",
    "what is the total {x} for {a} and {b}?",
    "what was the {x} in {a} plus that in {b}?",
    "what is the sum of the {x} of {a} and {b}?",
)
SUM_MORE = (
    "what is the sum including {c}?",
    "including {c}, what then becomes that total?",
    "what is the total including {c}?",
    "and including the year of {c}?",
    "what about if {c} is included?",
    "and what is the total for the three years, including {c}?",
    "what is the total sum with {c}?",
    "and adding {c}?",
    "what would then be the total, also considering {c}?",
)
AVERAGE_NOW = (
    "what is the average?",
    "and what was the average between those {n} years?",
    "what is the average for these {n} years?",
    "and the average?",
    "what is, then, the average per year?",
    "what was the average value per year?",
    "so what was the average over this time?",
    "what is that sum divided by {n}?",
    "what is the average of these {n} values?",
)
SUM_LINES_NOW = (
    "what is the sum?",
    "what is the total of the two?",
    "what is the sum of these two values?",
    "what is their combined value?",
    "combined, what is the total?",
    "what was, then, the total of both?",
    "and how much are they together?",
)
SUM_LINES_FULL = (
    "what was the total of {x} and {y} {w}?",
    "what is the sum of {x} and {y} {w}?",
    "{w}, what was the combined amount of {x} and {y}?",
    "what was the {x} plus the {y} {w}?",
    "combined, what were {x} and {y} {w}?",
)
LINES_LESS_NOW = (
    "what is the difference?",
    "what is the difference between the two?",
    "by how much does the first exceed the second?",
    "what is the first value less the second?",
    "what is the difference between those two values?",
)
LINES_LESS_FULL = (
    "what was the {x} less the {y} {w}?",
    "what is the difference between {x} and {y} {w}?",
    "what was the {x} net of the {y} {w}?",
    "{w}, what was the difference between the {x} and the {y}?",
    "by how much did {x} exceed {y} {w}?",
)
PORTION_NOW = (
    "what portion does this represent?",
    "what percentage of the total does that represent?",
    "what is the ratio?",
    "how much, then, does that {x} represent in relation to the {y}?",
    "what portion of {y} is {x}?",
    "and what percentage of the {y} does it represent?",
    "what is the first value divided by the second?",
    "and how much does that represent in relation to the {y}, in percentage?",
    "what percentage, then, of the {y} did the {x} represent?",
    "what is the {x} as a portion of the {y}?",
    "what is that divided by the {y}?",
)
PORTION_NOW_REVERSED = (
    "what portion of that is {x}?",
    "how much, then, does the first value represent in relation to this one, in percentage?",
    "what percentage of that did the {x} represent?",
    "what portion of {y} is {x}?",
    "what percentage, then, of this {y} did the {x} represent?",
)
PORTION_FULL = (
    "what portion of {y} is {x} {w}?",
    "what percentage of {y} did {x} represent {w}?",
    "{w}, what percentage of the {y} was due to {x}?",
    "how much did {x} represent in relation to {y} {w}, in percentage?",
    "what was the {x} as a percentage of {y} {w}?",
    "what was the ratio of {x} to {y} {w}?",
    "{w}, what was the {x} as a portion of {y}?",
    "what fraction of {y} was {x} {w}?",
    "what share of {y} came from {x} {w}?",
)
PORTION_OTHER = (
    "and for {s}?",
    "what about {w}?",
    "and what was that percentage {w}?",
    "and what was this portion {w}?",
    "what is that ratio for {s}?",
)
PORTION_DIFFERENCE = (
    "what is the difference between these percentages?",
    "what was, then, the change in that percentage between the two?",
    "what is the difference between the two portions?",
    "so what was the change in this portion over the period?",
)
RATIO_NOW = (
    "what is the ratio of {new} to {old}?",
    "how much, then, does the {new} value represent in relation to the {old} one?",
    "what is the {new} value divided by the {old} value?",
    "what is the ratio of the {new} value to the {old} one?",
)
RATIO_FULL = (
    "what is the ratio of {x} in {new} to {old}?",
    "how much did the {x} in {new} represent in relation to the one in {old}?",
    "what is the quotient of {x} of {new} to {old}?",
    "what was the {new} {x} as a ratio of the {old} {x}?",
)
LESS_ONE = (
    "what is that value less 1?",
    "what is that less one?",
    "and subtracting 1?",
    "and what is this ratio minus 1?",
    "what about the percentage growth, or that ratio less 1?",
)
TIMES_HUNDRED = (
    "what is that times 100?",
    "and times 100?",
    "and how much is that multiplied by 100?",
    "what is that value times 100?",
)
BY_THOUSAND = (
    "what is that value divided by 1000?",
    "and divided by 1000?",
    "what is that divided by 1000?",
    "what is this figure over 1000?",
)
IN_BIGGER = (
    "and what is that in {scale}?",
    "what is that in {scale}?",
    "and converted into {scale}?",
    "and how much is that in {scale}?",
)
THOUSAND_FULL = (
    "what is the {x} {w} divided by 1000?",
    "what was the {x} {w}, in {scale}?",
    "what is the value of {x} {w} divided by 1000?",
)
TIMES_THOUSAND = (
    "what is that in {scale}?",
    "and what is that value times 1000?",
    "and converted to {scale}?",
    "what is that times 1000?",
    "and how much is that in {scale}?",
)
TIMES_MILLION = (
    "what is that in dollars?",
    "and how much is that in dollars?",
    "what is that value times 1000000?",
    "and converted to dollars?",
)
GREATER_NOW = (
    "is {new}'s value higher than {old}'s?",
    "was the {new} value greater than the {old} one?",
    "did it increase between {old} and {new}?",
    "is the {new} figure larger than that of {old}?",
    "was it higher in {new} than in {old}?",
)
GREATER_FULL = (
    "was the {x} in {new} greater than in {old}?",
    "did {x} increase from {old} to {new}?",
    "was {x} higher in {new} than it was in {old}?",
    "were the {x} of {new} above those of {old}?",
)
GREATER_LINES_NOW = (
    "is the first greater than the second?",
    "is the former value higher than the latter?",
    "was {x} greater than {y}?",
    "is {x} larger than {y}?",
)
GREATER_LINES_FULL = (
    "was {x} greater than {y} {w}?",
    "{w}, was the {x} higher than the {y}?",
    "did {x} exceed {y} {w}?",
    "was the {x} larger than the {y} {w}?",
)
TABLE_MAX = (
    "what was the highest {x} in the years shown?",
    "what is the maximum {x} over the period?",
    "what was the highest value of {x} in the table?",
    "across all years, what was the largest {x}?",
)
TABLE_MIN = (
    "what was the lowest {x} in the years shown?",
    "what is the minimum {x} over the period?",
    "what was the smallest value of {x} in the table?",
    "across all years, what was the lowest {x}?",
)
TABLE_SUM = (
    "what was the total {x} over all years shown?",
    "what is the sum of {x} for all the years in the table?",
    "across all periods presented, what was the total {x}?",
)
TABLE_AVERAGE = (
    "what was the average {x} over all years shown?",
    "what is the average of {x} for all the years in the table?",
    "across all periods presented, what was the average {x}?",
)
RANGE_NOW = (
    "what is the difference between the two?",
    "what is, then, the range?",
    "so what is the range between highest and lowest?",
)
AVERAGE_LEFT = ("how much does it exceed that in {w}?",)
PROJECT = (
    "and applying this same rate of change, what would be the {x} in the next year?",
    "if this growth continued, what would the {x} be in {next}?",
    "assuming that same growth rate, what would be the {x} in {next}?",
    "considering this rate, what would the {x} become in the following year?",
)
COMPOUND = (
    "what was the compound growth factor per year, considering {n} years?",
    "considering the {n} years, what is the annual growth factor?",
    "what is the average compound factor a year over these {n} years?",
)
COMPOUND_LESS = (
    "what is, then, the compound annual growth rate?",
    "and the compound annual growth rate, in percentage?",
    "and less 1, as the annual growth rate?",
)
REST_NOW = (
    "what is the total without it?",
    "how much, then, is left without the {x}?",
    "and what is the remaining amount, excluding {x}?",
    "what is the {y} less the {x}?",
)
REST_PORTION = (
    "what portion of the {y} is that?",
    "and how much does this remainder represent in relation to the {y}?",
    "what percentage of the {y} does this remaining amount represent?",
)
INDEX_CHANGE_FULL = (
    "what was the change in the {x} from {old} to {new}?",
    "what was the {x} in {new} less an initial investment of $100?",
    "what is the net change in value of a $100 investment in the {x} from {old} to {new}?",
    "what was the variation in the {x} from {old} to {new}?",
)
INDEX_CHANGE_NOW = (
    "what is that less 100?",
    "what is the net change from the initial investment?",
    "what was, then, the change in its value since {old}?",
    "what is the change in value assuming a $100 initial investment?",
)
INDEX_PERCENT = (
    "what is the percent change?",
    "what cumulative return does this represent?",
    "and how much does this change represent in relation to the original value, in percentage?",
    "what roi does this represent?",
    "what is that value divided by 100?",
    "what was the rate of return?",
)
INDEX_OTHER = (
    "what was the value of the {x} in {new}?",
    "and what was the {x} in {new}?",
    "what about the {x} in that same year?",
)
INDEX_DIFFERENCE = (
    "what is the difference between the two returns?",
    "what was, then, the difference between these percentages?",
    "so what is the difference in return between the two?",
)
ALSO = (
    "and what {be} the {x} in that year?",
    "what {be} the {x} {w}?",
    "and the {x} for the same year?",
    "in that same year, what {be} the {x}?",
)
PART_OF_IT = (
    "what portion of that value in millions is this?",
    "what is that divided by the value in millions?",
    "and how much does this represent in relation to that value in millions?",
)
SECOND_LESS = (
    "what is the second value less the first?",
    "what is the {x} less the {y}?",
    "how much is left of the {x} after the {y}?",
)
DECLINE_FULL = (
    "what was the decline in {x} from {old} to {new}?",
    "by how much did {x} decrease from {old} to {new}?",
    "what was the decrease in the {x} between {old} and {new}?",
    "how much did {x} decline between {old} and {new}?",
    "by what amount did the {x} fall from {old} to {new}?",
    "what was the reduction in {x} from {old} to {new}?",
)
DECLINE_PERCENT = (
    "and how much does this decline represent in relation to the {old} value?",
    "how much, then, does that decrease represent in relation to the {x} in {old}, in percentage?",
    "and what was that decline as a portion of the {x} in {old}?",
    "what is that decrease over the {old} value?",
)
