"""How likely a model was to begin its reply with each of a few words, by its own odds. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from tools.llm.completion import Completion

END_CHARS = 20
"""Some servers tell of the token that ends a reply too."""


def word_odds(reply: Completion, words: Collection[str]) -> dict[str, float]:
    """The probability of each word as the first token of a reply; they add up to 1.

    Tokens that spell the same word in other letters (``Yes``, `` yes``) count for it.

    Args:
        reply: With ``logprobs``; thoughts before its text are passed over.
        words: In lower case.

    Returns:
        Empty where the reply tells no odds, or none of these words is among the alternatives.
    """
    first = _first_token(reply)
    shares = dict.fromkeys(words, 0.0)
    for word, share in _alternatives(first).items():
        if word in shares:
            shares[word] += share
    total = sum(shares.values())
    return {word: share / total for word, share in shares.items()} if total > 0 else {}


def _first_token(reply: Completion) -> Mapping[str, Any]:
    """The token that the text begins with; empty where it is not found."""
    tokens = [one for one in reply.logprobs if isinstance(one, Mapping)]
    rest = "".join(str(one.get("token", "")) for one in tokens)
    said = reply.text.strip()
    for one in tokens:
        token = str(one.get("token", ""))
        left = rest.strip()
        if said and token.strip() and left.startswith(said) and len(left) - len(said) <= END_CHARS:
            return one
        rest = rest[len(token) :]
    return {}


def _alternatives(token: Mapping[str, Any]) -> dict[str, float]:
    listed = token.get("top_logprobs")
    rows = [*(listed if isinstance(listed, list) else ()), token]
    shares: dict[str, float] = {}
    seen: set[str] = set()
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        spelt, logprob = row.get("token"), row.get("logprob")
        if not isinstance(logprob, int | float) or isinstance(logprob, bool):
            continue
        if not isinstance(spelt, str) or spelt in seen:
            continue
        # An integer of JSON may be larger than any float.
        if isinstance(logprob, float) and math.isnan(logprob):
            continue
        seen.add(spelt)
        word = spelt.strip(" \t\r\n\"'*.,:;!`\u2581\u0120").lower()
        shares[word] = shares.get(word, 0.0) + math.exp(min(0.0, max(-700.0, logprob)))
    return shares
