"""Sixty-odd files that break naive readers: right frames at right times, or one clear error."""

import csv
import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.drawing import draw_video, even_times
from tools.errors import VideoError
from tools.video.reader import FrameReader, probe

pytestmark = pytest.mark.data

NO_VIDEO = {
    "exo_bear_vorbis.ogg",
    "exo_sample_opus_fragmented.mp4",
    "whisper_jfk.flac",
    "exo_sample_teletext_subtitle.ts",
    "exo_full_blocks.mkv",
}
NO_FRAME = {
    "exo_init.mp4",
    "exo_invalid-bitstream.webm",
    "exo_subsample_encrypted_altref.webm",
}
NO_MEDIA = {
    "exo_sample_fragmented_clearkey.mp4",
    "exo_sample_fragmented_sideloaded_track.mp4",
    "made_zero_bytes.mp4",
    "made_text_renamed.mp4",
}

# Frames, and the second at which the last one ends, of the files whose headers mislead.
FRAMES_AND_END_S = {
    "exo_sample_fragmented.mp4": (30, 1.001),
    "exo_ssasample.mkv": (716, 30.075),
    "made_truncated_1500kB.mp4": (629, 62.9),
    "decord_corrupted.mp4": (49, 5.0),
    "mpy_no_duration.webm": (74, 4.94),
    "exo_sample_with_srt.mkv": (30, 1.0),
    "tc_av1_video.mkv": (125, 5.0),
    "exo_sample_av1.mp4": (30, 1.001),
    "made_start_at_100s.mkv": (247, 10.29),
    "exo_apple_hevc.mp4": (75, 2.5),
    "psd_delayed_start.mp4": (24, 0.96),
    "exo_bbb_2500ms.ts": (58, 2.5),
    "tc_var_fps_video.mp4": (300, 14.97),
    "made_vfr_juggle.mp4": (112, 10.29),
    "tc_nasa_13013.mp4": (390, 13.013),
    "exo_pixel-motion-photo-2-hevc-tracks.mp4": (58, 2.13),
    "exo_sample_empty_track.mp4": (30, 1.0),
    "made_one_frame.mp4": (1, 0.042),
    "mpy_timecode_bars.mp4": (400, 16.0),
}

UPRIGHT_PX = {
    "decord_video_90.mov": (320, 568),
    "exo_internal_emulator_transformer_output_270_rotated.mp4": (720, 1280),
    "exo_portrait_4k60.mp4": (2160, 3840),
    "exo_sample_edit_list.mp4": (1080, 1920),
    "mpy_fire2_rot180.mp4": (1280, 720),
    "exo_8k24fps_300ms.mp4": (7680, 4320),
    "exo_bear-vp9-odd-dimensions.webm": (161, 121),
    "-video-with-dash-.mp4": (1, 1),
    "exo_ssasample.mkv": (853, 480),
}

# Not exo_apple_hevc.mp4: it is a piece that begins at 10 s, and ends where its fragments do.
ENDS_EARLY = {"exo_ssasample.mkv", "made_truncated_1500kB.mp4"}


@pytest.fixture(scope="session")
def odd_videos(shared_data: Path) -> Path:
    return shared_data / "odd_videos"


@pytest.mark.slow
def test_every_file_yields_increasing_times_within_what_decodes_or_one_error(
    odd_videos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (odd_videos / "MANIFEST.tsv").open(encoding="utf-8") as table:
        names = {row["path"] for row in csv.DictReader(table, delimiter="\t")}
    # The table is the sixty-fourth file.
    assert names | {"MANIFEST.tsv"} == {entry.name for entry in odd_videos.iterdir()}
    refused, warned = {}, {}
    for name in sorted(names):
        try:
            video = probe(odd_videos / name)
            reader = FrameReader(video, rate_hz=2, long_side_px=256)
            frames = list(reader)
        except VideoError as error:
            refused[name] = str(error)
            continue
        times_s = [frame.time_s for frame in frames]
        ticks = [int(time_s * 2 + 1e-6) for time_s in times_s]
        assert times_s[0] == 0, name
        assert all(before < after for before, after in itertools.pairwise(ticks)), name
        assert times_s[-1] < reader.decoded_until_s, name
        for frame in frames:
            assert max(frame.image.shape[:2]) <= 256, name
            assert frame.luma_s[-1] == frame.time_s, name
            assert (np.diff(frame.luma_s) > 0).all(), name
        if name in FRAMES_AND_END_S:
            assert reader.decoded_until_s == pytest.approx(FRAMES_AND_END_S[name][1], abs=0.03)
        if name in UPRIGHT_PX:
            assert (video.width_px, video.height_px) == UPRIGHT_PX[name]
        if warning := reader.warning():
            warned[name] = warning
    assert set(refused) == NO_VIDEO | NO_FRAME | NO_MEDIA
    for name, message in refused.items():
        assert name in message
        assert "\n" not in message
        assert "no video in it" in message or name not in NO_VIDEO
        assert "no frame could be decoded" in message or name not in NO_FRAME
    assert {name for name, warning in warned.items() if "ends early" in warning} == ENDS_EARLY
    # Of the last one, a picture that is cut away would be shown for half a second.
    assert set(warned) == ENDS_EARLY | {
        "decord_corrupted.mp4",
        "exo_iibbibb_editlist_videoonly.mp4",
        "tc_nasa_13013.mp4",
    }
    assert "it holds 2 videos" in warned["tc_nasa_13013.mp4"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FRAMES_AND_END_S))
def test_every_frame_that_decodes_is_read(odd_videos: Path, name: str) -> None:
    # So fine a grid that each frame has a tick of its own, and none is left undecoded.
    reader = FrameReader(probe(odd_videos / name), rate_hz=120, long_side_px=64)
    assert sum(1 for _ in reader) == FRAMES_AND_END_S[name][0]


@pytest.mark.slow
def test_the_frame_at_a_time_shows_that_time(odd_videos: Path) -> None:
    # The clip has the time of each of its 400 frames burnt in: no two are alike, so a frame that
    # looks like the one which an independent decoder counts as number n is that at n / 25 s.
    path = odd_videos / "mpy_timecode_bars.mp4"
    capture, numbered = cv2.VideoCapture(str(path)), []
    while (decoded := capture.read())[0]:
        numbered.append(cv2.resize(decoded[1], (320, 240))[..., ::-1].astype(np.int16))
    assert len(numbered) == 400
    for start_s in (0.0, 9.5):
        frames = list(FrameReader(probe(path), rate_hz=1, long_side_px=320, start_s=start_s))
        assert len(frames) == (16 if start_s == 0 else 6)
        for frame in frames:
            differences = [np.abs(frame.image - image).mean() for image in numbered]
            assert int(np.argmin(differences)) == round(frame.time_s * 25)


@pytest.mark.parametrize(
    "name",
    [
        "decord_video_90.mov",
        "exo_internal_emulator_transformer_output_270_rotated.mp4",
        "mpy_fire2_rot180.mp4",
    ],
)
def test_phone_videos_stand_as_another_player_turns_them(odd_videos: Path, name: str) -> None:
    frame = next(iter(FrameReader(probe(odd_videos / name), rate_hz=1)))
    _, shown = cv2.VideoCapture(str(odd_videos / name)).read()
    height_px, width_px = frame.image.shape[:2]
    shown = cv2.resize(shown, (width_px, height_px), interpolation=cv2.INTER_AREA)[..., ::-1]
    assert np.abs(frame.image.astype(np.int16) - shown).mean() < 6


@pytest.mark.slow
def test_the_real_videos_are_read_to_their_ends(shared_data: Path) -> None:
    for name, frames, end_s in [
        ("one_by_one.mp4", 140, 139.4),
        ("sam2_gallery_concat.mp4", 50, 49.25),
    ]:
        reader = FrameReader(probe(shared_data / "videos" / name), rate_hz=1, long_side_px=128)
        assert sum(1 for _ in reader) == frames
        assert reader.decoded_until_s == pytest.approx(end_s, abs=0.05)
        assert reader.warning() is None


def test_frames_of_more_pixels_than_any_camera_has_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(4, 4))
    monkeypatch.setattr("tools.video.streams.MAX_PIXELS", 100)
    with pytest.raises(VideoError, match="pixels are decoded; make it smaller"):
        probe(path)
