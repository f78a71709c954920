"""The whole error tree: what the tools raise, and what can go wrong above them.

WhenaboutsError
├── VideoError, CaptionError, CaptionerError, EmbedderError, StoreError   (see tools.errors)
├── SettingsError       an environment variable or option that cannot be used
├── QueryError          a question that cannot be asked
├── ReasonerError       a text model that cannot be used, or does not answer
│   ├── UnansweredError its service keeps failing; the LLM-free answer may stand in
│   └── WithheldError   a limit of this run does not allow one more reply
└── AnswerError         a reply that is no valid answer; written for the model, and sent to it

The command line catches ``WhenaboutsError`` alone: anything else is a bug and keeps its traceback.
"""

from typing import Literal

from tools.errors import (
    CaptionerError,
    CaptionError,
    EmbedderError,
    ForgottenError,
    StoreBusyError,
    StoreError,
    UsedUpError,
    VideoError,
    WhenaboutsError,
)

__all__ = [
    "AnswerError",
    "CaptionError",
    "CaptionerError",
    "EmbedderError",
    "ForgottenError",
    "QueryError",
    "ReasonerError",
    "RefusalKind",
    "SettingsError",
    "StoreBusyError",
    "StoreError",
    "UnansweredError",
    "UsedUpError",
    "VideoError",
    "WhenaboutsError",
    "WithheldError",
]

RefusalKind = Literal[
    "no_json",
    "wrong_schema",
    "unknown_caption",
    "unknown_time",
    "reversed",
    "contradiction",
    "cut_off",
]


class SettingsError(WhenaboutsError):
    """An environment variable or option has a value that cannot be used; the message names it."""


class QueryError(WhenaboutsError):
    """The question itself cannot be asked, for example because it is empty."""


class ReasonerError(WhenaboutsError):
    """A text model cannot be used here, or does not answer; the message says what to do."""


class UnansweredError(ReasonerError):
    """A text model that is set up correctly failed, and so did retries; the message says how.

    A question then ends in the LLM-free answer, unless the settings are strict.

    Attributes:
        of_this_one: Whether that is because of what it was shown: it may answer about other things.
    """

    def __init__(self, message: str, *, of_this_one: bool = False) -> None:
        super().__init__(message)
        self.of_this_one = of_this_one


class WithheldError(ReasonerError):
    """The text model was not asked: a limit would not allow it, or there is nothing to read."""


class AnswerError(WhenaboutsError):
    """A reply is not a valid answer. The message is written for the model that gave it.

    Attributes:
        kind: Which rule the reply broke.
    """

    def __init__(self, kind: RefusalKind, message: str) -> None:
        super().__init__(message)
        self.kind: RefusalKind = kind
