"""A picture in which only a clock runs: something moves in it, however small it is."""

import cv2
import numpy as np
import pytest

from tools.signals.frame_claims import FrameWatch
from tools.timeline import Frame


def frame(at_s: int, *, clock: bool) -> Frame:
    image = np.full((360, 640, 3), 90, np.uint8)
    cv2.rectangle(image, (60, 60), (300, 220), (150, 150, 150), -1)
    if clock:
        cv2.putText(image, f"12:00:{at_s:02d}", (480, 340), 0, 0.5, (255, 255, 255), 1)
    luma = cv2.resize(image[..., 0], (64, 36), interpolation=cv2.INTER_AREA)[None].astype(np.uint8)
    earlier = image if at_s else None
    earlier_s = at_s - 0.1 if at_s else None
    return Frame(float(at_s), image, earlier, earlier_s, luma, np.array([float(at_s)]))


@pytest.mark.parametrize("clock", [True, False])
def test_nothing_moves_is_not_said_beside_a_running_clock(clock: bool) -> None:
    watch = FrameWatch()
    kinds = [
        {claim.kind for claim in watch.watch(frame(at_s, clock=clock), [])} for at_s in range(6)
    ]
    assert all("nothing moves" not in some for some in kinds[1:]) is clock
