"""Sampled frames, decoded ahead in a thread, so that a captioner seldom waits for the decoder.

It also knows until when a frame's caption holds: until the next frame that is chosen.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tools.indexing.frame_gate import Gate
from tools.video.reader import FrameReader

if TYPE_CHECKING:
    from tools.timeline import Frame

FRAMES_AHEAD = 8
"""Decoded frames that wait: the decoder's pauses are bridged, and memory stays small."""

CHECK_S = 0.05
"""How soon it is noticed that there is room again."""


class FrameFeed:
    """The frames of one reading that are chosen, iterated once, by one thread; closed by its maker.

    Args:
        reader: Read in a thread of its own, at most ``FRAMES_AHEAD`` frames ahead.
        choose: Which frames are handed out, in time order, once the next is read; asked in that
            thread about each.
        gate: Whether the next frame may be handed out; asked again while it has to wait.
        on_out: Told of each frame that is handed out.

    Attributes:
        frames_read: Frames read so far.
        frames_skipped: Those of them that are not chosen so far.
        unfinished_s: Time of the frame of which more may be said; None where there is none.
    """

    def __init__(
        self,
        reader: FrameReader,
        *,
        choose: Callable[[Frame], Sequence[Frame]],
        gate: Callable[[Frame], Gate],
        on_out: Callable[[Frame], None] = lambda _: None,
    ) -> None:
        self._reader = reader
        self._choose = choose
        self._gate = gate
        self._on_out = on_out
        self._change = threading.Condition()
        self._frames: deque[Frame] = deque()
        self._end_s: dict[float, float] = {}
        self._newest_s: float | None = None
        self._handed_out_s: float | None = None
        self._is_read = self._stopped = self._closed = False
        self._error: BaseException | None = None
        self.frames_read = 0
        self.frames_skipped = 0
        self.unfinished_s: float | None = None
        self._thread = threading.Thread(target=self._read, name="decoder", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        """Hand out frames, until the video ends or ``stop``.

        Raises:
            VideoError: As the reader does, after the frames before.
        """
        while (frame := self._next()) is not None:
            yield frame
        self.unfinished_s = None

    def said_of(self, time_s: float) -> None:
        """Something was said of this frame; until the next one is read, more may be.

        Raises:
            ValueError: If no such frame was handed out.
        """
        if time_s not in self._end_s and time_s != self._newest_s:
            raise ValueError(f"there is a description of {time_s} s, where no frame was read")
        self.unfinished_s = time_s

    @property
    def handed_out_until_s(self) -> float:
        """Where the last frame handed out ends, or begins if that is not known."""
        last_s = self._handed_out_s
        return 0.0 if last_s is None else self._end_s.get(last_s, last_s)

    def end_s(self, time_s: float) -> float | None:
        """Where the caption of this frame ends; known once a later frame was chosen."""
        return self._end_s.get(time_s)

    def stop(self) -> None:
        """Hand out no more."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def finish(self) -> None:
        """After ``stop``: read on until it is known where the last frame handed out ends."""
        with self._change:
            self._change.wait_for(
                lambda: (
                    self._is_read or self._handed_out_s is None or self._handed_out_s in self._end_s
                )
            )

    def close(self) -> None:
        """Read no further; returns when the file is closed."""
        with self._change:
            self._stopped = self._closed = True
            self._change.notify_all()
        self._thread.join()

    def _next(self) -> Frame | None:
        with self._change:
            while not self._stopped:
                if self._frames:
                    gate = self._gate(self._frames[0])
                    if gate is Gate.OPEN:
                        return self._hand_out()
                    self._stopped |= gate is Gate.SHUT
                    # Nothing signals that the gate is open, but that is soon noticed.
                    self._change.wait(CHECK_S)
                elif self._is_read:
                    if self._error is not None:
                        raise self._error
                    return None
                else:
                    self._change.wait()
        return None

    def _hand_out(self) -> Frame:
        frame = self._frames.popleft()
        self._handed_out_s, self.unfinished_s = frame.time_s, None
        self._on_out(frame)
        self._change.notify_all()
        return frame

    def _read(self) -> None:
        try:
            for frame in self._reader:
                if not self._take(frame):
                    return
            self._note_end(self._reader.decoded_until_s)
        except BaseException as exc:  # noqa: BLE001 - raised again where frames are handed out
            self._error = exc
        finally:
            with self._change:
                self._is_read = True
                self._change.notify_all()

    def _take(self, frame: Frame) -> bool:
        """Queue what is chosen now that this frame is read; returns whether to read on."""
        chosen = self._choose(frame)
        self.frames_read += 1
        self.frames_skipped += 1 - len(chosen)
        for one in chosen:
            self._note_end(one.time_s)
            with self._change:
                self._newest_s = one.time_s
                self._frames.append(one)
                self._change.notify_all()
                self._change.wait_for(lambda: self._closed or len(self._frames) < FRAMES_AHEAD)
        return not self._closed

    def _note_end(self, end_s: float) -> None:
        if self._newest_s is not None and end_s > self._newest_s:
            self._end_s[self._newest_s] = end_s
