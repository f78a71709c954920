"""Captions files: spans that follow from times, and complaints that name the line."""

from pathlib import Path

import pytest

from tools.captioners.file import file_track, read_captions
from tools.errors import CaptionError


def write(folder: Path, *lines: str) -> Path:
    path = folder / "captions.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def spans(path: Path, duration_s: float = 10.0) -> list[tuple[float, float]]:
    captions = read_captions(path, video_id="v", duration_s=duration_s)
    return [(caption.start_s, caption.end_s) for caption in captions]


def test_a_caption_at_a_time_holds_until_the_next_and_the_last_until_the_end(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, '{"t": 4, "caption": "b"}', "", '{"t": 0, "caption": "a"}')
    assert spans(path) == [(0.0, 4.0), (4.0, 10.0)]


def test_the_last_of_evenly_spaced_captions_holds_for_one_step_where_the_file_ends_early(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, *(f'{{"t": {t}, "caption": "a"}}' for t in (0, 2, 4.1)))
    assert spans(path)[-1] == pytest.approx((4.1, 6.2))
    assert spans(path, duration_s=5.0)[-1] == (4.1, 5.0)


def test_the_last_of_unevenly_spaced_captions_holds_until_the_end(tmp_path: Path) -> None:
    path = write(tmp_path, *(f'{{"t": {t}, "caption": "a"}}' for t in (0, 2, 6)))
    assert spans(path)[-1] == (6.0, 10.0)


def test_a_caption_with_its_own_span_keeps_it_but_ends_with_the_video(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '{"start_s": 1, "end_s": 2.5, "caption": "a"}',
        '{"start_s": 8, "end_s": 99, "caption": "b"}',
    )
    assert spans(path) == [(1.0, 2.5), (8.0, 10.0)]


def test_the_track_follows_the_content_and_not_the_name(tmp_path: Path) -> None:
    path = write(tmp_path, '{"t": 0, "caption": "a"}')
    copy = tmp_path / "other.jsonl"
    copy.write_bytes(path.read_bytes())
    assert file_track(copy) == file_track(path)
    write(tmp_path, '{"t": 0, "caption": "b"}')
    assert file_track(copy) != file_track(path)


def test_a_byte_order_mark_is_no_caption(tmp_path: Path) -> None:
    path = tmp_path / "bom.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"t": 0, "caption": "a"}')
    assert spans(path) == [(0.0, 10.0)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", ":2: not JSON"),
        ("[" * 100_000, ":2: not JSON"),
        ("[1]", ":2: not a JSON object"),
        ('{"t": 1}', ":2: no caption text"),
        ('{"t": 1, "caption": " "}', ":2: no caption text"),
        ('{"caption": "x"}', ":2: start_s is None"),
        ('{"t": "1", "caption": "x"}', ":2: t is '1'"),
        ('{"t": -1, "caption": "x"}', ":2: t is -1"),
        ('{"t": NaN, "caption": "x"}', ":2: t is nan"),
        ('{"t": 1' + "0" * 400 + ', "caption": "x"}', ":2: t is inf"),
        (
            '{"t": 1, "caption": "a \\ud800"}',
            r":2: '\ud800' in the caption is not a valid character",
        ),
        ('{"t": 10, "caption": "x"}', ":2: the caption starts at 10.0 s"),
        ('{"t": 0, "caption": "x"}', ":2: a second caption at 0.0 s"),
        ('{"start_s": 5, "end_s": 5, "caption": "x"}', ":2: the caption ends at 5.0 s"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = write(tmp_path, '{"t": 0, "caption": "a"}', line)
    with pytest.raises(CaptionError) as error:
        spans(path)
    assert complaint in str(error.value)


def test_a_file_that_is_no_text_an_empty_one_and_a_missing_one_are_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaptionError, match="not UTF-8"):
        spans(binary)
    with pytest.raises(CaptionError, match="holds no captions"):
        spans(write(tmp_path, ""))
    with pytest.raises(CaptionError, match="No such file"):
        spans(tmp_path / "missing")


def test_a_caption_longer_than_any_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(f'{{"t": 0, "caption": "a"}}\n{{"t": 1, "caption": "{"long " * 2001}"}}')
    with pytest.raises(CaptionError, match=r"long\.jsonl:2: the caption has 10,005 characters"):
        read_captions(path, video_id="v", duration_s=9.0)


@pytest.mark.parametrize(
    ("lines", "mode"),
    [
        ([f'{{"t": {t}, "caption": "a"}}' for t in (0, 2, 4, 6.1)], "file@0.5/s"),
        ([f'{{"t": {t}, "caption": "a"}}' for t in (0, 2, 9)], "file"),
        (['{"t": 0, "caption": "a"}', '{"t": 2, "caption": "a"}'], "file"),
        (
            [
                *(f'{{"t": {t}, "caption": "a"}}' for t in (0, 2, 4)),
                '{"start_s": 5, "end_s": 6, "caption": "b"}',
            ],
            "file",
        ),
    ],
)
def test_a_file_of_evenly_spaced_moments_is_one_of_single_frames(
    tmp_path: Path, lines: list[str], mode: str
) -> None:
    assert file_track(write(tmp_path, *lines)).mode == mode
