"""What can go wrong in the tools, written for the person who has to act on it.

WhenaboutsError
├── VideoError          a file that cannot be opened, decoded or identified
├── CaptionError        a caption, or a file of captions, that cannot be used
├── CaptionerError      a captioner that cannot run here
│   └── UsedUpError     a limit of this run allows nothing more of what was asked for
├── EmbedderError       embedding weights or a service that cannot be used
├── SightError          a model that puts pictures and words into one space cannot be used
├── HubError            a model cannot be fetched from the hub; becomes one of the others
├── ServiceError        a request to a service that finally failed; becomes one of the others
└── StoreError          a caption store that cannot be opened, read or written
    ├── StoreBusyError  another process is writing to it
    └── ForgottenError  a video that was forgotten while somebody worked on it

``agent.errors`` adds what can go wrong above the tools. Every message says what was wrong, with the
value, and what to do next. No message holds a password that is part of an address.
"""

from typing import Literal

from tools.text import without_passwords


class WhenaboutsError(RuntimeError):
    """Base class of every error that is the input's or the environment's fault, not a bug.

    Of a ``RuntimeError``, LangGraph's server tells its client the message too.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(without_passwords(message))


class VideoError(WhenaboutsError):
    """A video file cannot be opened, decoded or identified."""


class CaptionError(WhenaboutsError):
    """A caption, or a file of captions, is not usable; the message names the caption."""


class CaptionerError(WhenaboutsError):
    """A captioner cannot run here: an extra, a key or a model is missing."""


class UsedUpError(CaptionerError):
    """A limit of this run allows no more of this; the message says which, and what is left."""


class EmbedderError(WhenaboutsError):
    """Text cannot be embedded: weights are missing, damaged, or a service failed."""


class SightError(WhenaboutsError):
    """Pictures and words cannot be compared: a model is missing, half fetched or another kind."""


class HubError(WhenaboutsError):
    """A model cannot be had from the Hugging Face hub.

    Attributes:
        is_unreachable: Whether the hub gave no answer, so that another try may help.
    """

    def __init__(self, message: str, *, is_unreachable: bool = False) -> None:
        super().__init__(message)
        self.is_unreachable = is_unreachable


FailureKind = Literal[
    "settings",
    "key",
    "credit",
    "model",
    "unreachable",
    "timeout",
    "busy",
    "broken",
    "context",
    "pictures",
    "declined",
    "strange",
    "refused",
    "stopped",
]


class ServiceError(WhenaboutsError):
    """A service cannot be asked, or failed after all retries.

    Attributes:
        kind: ``settings``, ``key``, ``credit`` and ``model`` are for the user to fix;
            ``unreachable`` is a server that is not there. ``timeout``, ``busy`` and ``broken`` did
            not pass within all retries. ``context`` is too much to read, ``pictures``
            more pictures than it takes at once, ``declined`` a refusal of
            what was shown; ``strange`` is not a reply of this API, ``refused`` any other complaint.
            ``stopped``: the caller gave up.
        tokens_in: Tokens of input that the service counted in answers without a reply.
        tokens_out: Tokens of output in them.
        usd: Their price, noted by a caller that knows prices; None where it is not known.
        of_run: Whether it is the time of the whole run that is used up, or would be by a wait.
        known: Whether it was noted earlier in the same run, and nothing was asked now.
    """

    def __init__(
        self, kind: FailureKind, message: str, *, of_run: bool = False, known: bool = False
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.of_run = of_run
        self.known = known
        self.tokens_in = self.tokens_out = 0
        self.usd: float | None = 0.0


class StoreError(WhenaboutsError):
    """The caption store cannot be opened, read or written."""


class StoreBusyError(StoreError):
    """Another process holds the store's lock."""


class ForgottenError(StoreError):
    """A video was forgotten while captions of it were being made; they are not kept."""
