"""Reading text off the screen may take minutes: it is said beforehand how many."""

from dataclasses import replace
from pathlib import Path

from agent.watching.forecast import reading_takes
from tests.drawing import draw_video, even_times
from tools.video.reader import probe


def test_an_estimate_is_announced_where_reading_takes_a_while(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "road.mp4", even_times(8, 8.0)))
    assert reading_takes(video, 1.0) == ""
    assert "up to about 25 s" in reading_takes(replace(video, header_duration_s=100.0), 1.0)
    assert "up to about 5 min" in reading_takes(replace(video, header_duration_s=600.0), 2.0)
    assert "0.25 s for each" in reading_takes(replace(video, header_duration_s=None), 1.0)
