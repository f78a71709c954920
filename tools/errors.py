"""What can go wrong in the tools, written for the person who has to act on it.

WhenaboutsError
├── VideoError          a file that cannot be opened, decoded or identified
├── CaptionError        a caption, or a file of captions, that cannot be used
├── CaptionerError      a captioner that cannot run here
├── EmbedderError       embedding weights or a service that cannot be used
└── StoreError          a caption store that cannot be opened, read or written
    ├── StoreBusyError  another process is writing to it
    └── ForgottenError  a video that was forgotten while somebody worked on it

``agent.errors`` adds what can go wrong above the tools. Every message says what was wrong, with the
value, and what to do next.
"""


class WhenaboutsError(RuntimeError):
    """Base class of every error that is the input's or the environment's fault, not a bug.

    Of a ``RuntimeError``, LangGraph's server tells its client the message too.
    """


class VideoError(WhenaboutsError):
    """A video file cannot be opened, decoded or identified."""


class CaptionError(WhenaboutsError):
    """A caption, or a file of captions, is not usable; the message names the caption."""


class CaptionerError(WhenaboutsError):
    """A captioner cannot run here: an extra, a key or a model is missing."""


class EmbedderError(WhenaboutsError):
    """Text cannot be embedded: weights are missing, damaged, or a service failed."""


class StoreError(WhenaboutsError):
    """The caption store cannot be opened, read or written."""


class StoreBusyError(StoreError):
    """Another process holds the store's lock."""


class ForgottenError(StoreError):
    """A video was forgotten while captions of it were being made; they are not kept."""
