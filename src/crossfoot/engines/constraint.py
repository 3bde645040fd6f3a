"""Output held to a format, by llguidance over the model's own tokens.

Every reply is then one readable call of ``calculate`` or ``submit_answer``, one number, or one
program (engines/programs.py), so that a model that was not trained on the format is measured by its
answers and not by its brackets. A model that quotes its page can quote only what stands there
(engines/quotes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import QUOTED, PromptForm
from crossfoot.chat.template import Chat
from crossfoot.engines.formats import NUMBER_GRAMMAR, call_grammar
from crossfoot.engines.programs import program_grammar
from crossfoot.engines.quotes import quote_grammar
from crossfoot.errors import ModelError, RecipeError
from crossfoot.targets.single import Target

# The Lark text that a reply to these messages is held to.
GrammarOf = Callable[[Sequence[Message]], str]


class Constraint:
    """A grammar over a model's tokens, with a matcher for each row of a batch.

    ``grammar_of`` makes it from the messages of a row, which ``read`` is told before ``begin``.
    Where the grammar allows one continuation only, its tokens are dictated: those that the text's
    own tokenization has, so that a model sees what it was trained on. Whoever decodes them one by
    one (``steering.processor``) gets the same tokens as who appends them (``begin``, ``accept``).
    """

    def __init__(self, tokenizer: Any, grammar_of: GrammarOf, end_id: int) -> None:
        self.tokenizer = tokenizer
        self.grammar_of = grammar_of
        self.end_id = end_id
        self.grammars: list[str] = []
        self.matchers: dict[int, Any] = {}

    def read(self, batch: Sequence[Sequence[Message]]) -> None:
        """Make the grammar of each row of a batch."""
        self.grammars = [self.grammar_of(messages) for messages in batch]

    def begin(self, row: int) -> list[int]:
        """Start a reply; returns the tokens that it has to begin with."""
        import llguidance

        grammar = llguidance.grammar_from("lark", self.grammars[row])
        self.matchers[row] = llguidance.LLMatcher(self.tokenizer, grammar)
        return self._dictated(row)

    def accept(self, row: int, token: int) -> list[int]:
        """Take a decoded token; returns those that have to follow it."""
        self.matchers[row].consume_token(token)
        return self._dictated(row)

    def _dictated(self, row: int) -> list[int]:
        matcher = self.matchers[row]
        if matcher.is_stopped():
            return [self.end_id]
        tokens: list[int] = matcher.compute_ff_tokens()
        matcher.consume_tokens(tokens)
        return [*tokens, self.end_id] if matcher.is_stopped() else tokens

    def adjust(self, row: int, scores: torch.Tensor) -> None:
        """Mask in ``scores`` (vocabulary) what the grammar does not allow next, in place."""
        import llguidance.torch as masks

        bitmask = masks.allocate_token_bitmask(1, self.tokenizer.vocab_size)
        masks.fill_next_token_bitmask(self.matchers[row], bitmask, 0)
        masks.apply_token_bitmask_inplace(scores[None], bitmask.to(scores.device))


def grammar_for(chat: Chat, target: Target, form: PromptForm) -> GrammarOf:
    """The grammar of replies of this target: calls in the syntax of the chat's template, behind
    quotes where the prompt's form asks for them, numbers or yes and no, programs over the numbers
    and rows that the prompt shows."""
    of_calls = call_grammar(chat.syntax)
    grammars: dict[Target, GrammarOf] = {
        "tool": lambda messages: of_calls,
        "numerical": lambda messages: NUMBER_GRAMMAR,
        "program": program_grammar,
    }
    if form in QUOTED:
        grammars["tool"] = lambda messages: quote_grammar(messages, chat.syntax)
    if target not in grammars:
        raise RecipeError(
            f"no format holds the target {target}", advice=f"it is for {', '.join(grammars)}"
        )
    return grammars[target]


def constraint_for(chat: Chat, target: Target, form: PromptForm = "short") -> Constraint:
    """The constraint to ``grammar_for`` replies of this target."""
    grammar_of = grammar_for(chat, target, form)
    try:
        import llguidance.hf
    except ImportError as error:
        raise ModelError(
            "constrained output needs llguidance", advice="pip install 'crossfoot[constrain]'"
        ) from error
    # Where a grammar allows the end, it is the template's own end of turn.
    tokenizer = llguidance.hf.from_tokenizer(chat.tokenizer, eos_token=chat.end_id)
    return Constraint(tokenizer, grammar_of, chat.end_id)
