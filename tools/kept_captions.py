"""What follows from a track's captions alone, whatever is asked, is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast, overload

import numpy as np

from tools.sight.frame_track import as_caption
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Value = TypeVar("Value")


class KeptCaptions(list[Caption]):
    """Captions that a store keeps between questions, and what was worked out of them.

    Nobody can change them: who wants to sort or join them makes a list of their own.
    """

    __slots__ = ("worked_out",)

    def __init__(self, captions: Sequence[Caption]) -> None:
        super().__init__(captions)
        self.worked_out: dict[Hashable, Any] = {}

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("captions that a store keeps are not changed; make a list of them first")

    append = clear = extend = insert = pop = remove = reverse = sort = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse


class KeptFrames(Sequence[Caption]):
    """The same of a track of frames, which say nothing: their times, a caption where one is asked.

    Args:
        video_id: Of the video.
        track: That they are of.
        edges_s: Shape ``(n, 2)``: where each starts and ends, in time order.
    """

    __slots__ = ("edges_s", "track", "video_id", "worked_out")

    def __init__(self, video_id: str, track: Track, edges_s: Floats) -> None:
        self.video_id = video_id
        self.track = track
        self.edges_s = edges_s
        self.worked_out: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self.edges_s)

    @overload
    def __getitem__(self, at: int) -> Caption: ...

    @overload
    def __getitem__(self, at: slice) -> list[Caption]: ...

    def __getitem__(self, at: int | slice) -> Caption | list[Caption]:
        if isinstance(at, slice):
            return [self._caption(*pair) for pair in self.edges_s[at].tolist()]
        return self._caption(*self.edges_s[at].tolist())

    def _caption(self, start_s: float, end_s: float) -> Caption:
        return as_caption(self.video_id, Interval(start_s, end_s), self.track)


def edges_of(captions: Sequence[Caption]) -> tuple[Floats, Floats]:
    """Shape ``(n,)`` each: where captions start and end."""
    if isinstance(captions, KeptFrames):
        return captions.edges_s[:, 0], captions.edges_s[:, 1]
    return once(
        captions,
        "edges",
        lambda: (
            np.array([one.start_s for one in captions]),
            np.array([one.end_s for one in captions]),
        ),
    )


def once(captions: Sequence[Caption], what: Hashable, work: Callable[[], Value]) -> Value:
    """What ``work`` returns, or returned for the same captions before.

    Args:
        captions: Of which it works something out, and of nothing else.
        what: Names the work, with all that it depends on beside the captions.
        work: Called where the captions are not kept, or were not asked for this yet. Nobody may
            change what it returns.
    """
    if not isinstance(captions, KeptCaptions | KeptFrames):
        return work()
    if what not in captions.worked_out:
        captions.worked_out[what] = work()
    return cast("Value", captions.worked_out[what])
