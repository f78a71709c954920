"""Whisper: a model on this machine is loaded and run as a real one is; nothing is fetched."""

import shutil
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

import tools.speech.whisper
from tests.drawing import gray
from tests.tiny_whisper import convert, save_whisper
from tools.errors import CaptionerError
from tools.speech.transcript import speech_track, transcribe
from tools.speech.whisper import Whisper, find_whisper
from tools.video.reader import Video, probe
from tools.video.sound import SAMPLE_RATE_HZ

LENGTH_S = 11.0
SILENCE = np.zeros(SAMPLE_RATE_HZ, np.float32)


@pytest.fixture(scope="module")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("faster_whisper", reason="the extra `speech` is not installed")
    pytest.importorskip("transformers", reason="the extra `local` is not installed")
    folder = tmp_path_factory.mktemp("whisper")
    return convert(save_whisper(folder / "checkpoint"), folder / "tiny")


def speech_video(folder: Path, sound: Path) -> Video:
    """A grey picture, eleven seconds long, with the sound of a file."""
    path = folder / "speech.mkv"
    with av.open(str(path), "w") as container, av.open(str(sound)) as source:
        pictures: Any = container.add_stream("libx264", rate=1)
        voice: Any = container.add_stream("flac", rate=source.streams.audio[0].rate)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        for index in range(round(LENGTH_S)):
            picture = av.VideoFrame.from_ndarray(gray(index), format="rgb24")
            picture.time_base, picture.pts = Fraction(1), index
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        for heard in source.decode(audio=0):
            container.mux(voice.encode(heard))
        container.mux(voice.encode(None))
    return probe(path)


@pytest.mark.slow
@pytest.mark.data
def test_a_real_model_transcribes_real_speech_from_end_to_end(
    whisper_folder: Path, shared_data: Path, tmp_path: Path
) -> None:
    video = speech_video(tmp_path, shared_data / "odd_videos" / "whisper_jfk.flac")
    whisper = Whisper(whisper_folder)
    (captions,) = transcribe(video, whisper, duration_s=LENGTH_S)
    # What it writes is nonsense; that it is heard, timed and written is not.
    assert captions
    for caption in captions:
        assert 0 <= caption.start_s < caption.end_s <= LENGTH_S
        assert (caption.source, caption.track) == ("speech", speech_track(whisper))
    assert [captions] == list(transcribe(video, whisper, duration_s=LENGTH_S))


@pytest.mark.slow
def test_a_model_is_named_by_its_weights_and_told_languages_it_knows(
    whisper_folder: Path, tmp_path: Path
) -> None:
    whisper = Whisper(whisper_folder)
    assert whisper.model.startswith("whisper:tiny@")
    assert whisper.mode == "speech"
    assert Whisper(whisper_folder, language="en").mode == "speech:en"
    assert list(whisper(SILENCE)) == []
    copy = shutil.copytree(whisper_folder, tmp_path / "tiny")
    assert Whisper(copy).model == whisper.model
    other = convert(save_whisper(tmp_path / "checkpoint", seed=1), tmp_path / "other" / "tiny")
    assert Whisper(other).model != whisper.model
    with pytest.raises(CaptionerError, match="does not know the language 'xx'; it knows en"):
        list(Whisper(whisper_folder, language="xx")(SILENCE))


@pytest.mark.slow
def test_a_damaged_model_is_refused_with_its_place(whisper_folder: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(whisper_folder, tmp_path / "damaged")
    (damaged / "model.bin").write_bytes(b"no model")
    with pytest.raises(CaptionerError, match=r"model in .*damaged cannot be loaded") as error:
        list(Whisper(damaged)(SILENCE))
    assert "\n" not in str(error.value)


def test_a_model_that_is_not_here_is_not_fetched_but_said_how_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_disabled: None
) -> None:
    pytest.importorskip("faster_whisper", reason="the extra `speech` is not installed")
    # The tests' own guard is off: it is the program that must not ask.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(CaptionerError, match=r"small is not on this machine .* fetch it with"):
        find_whisper("small")
    with pytest.raises(CaptionerError, match=r"Systran/faster-whisper-none is not on this machine"):
        find_whisper("Systran/faster-whisper-none")
    with pytest.raises(CaptionerError, match=r"no speech model 'nonsense'.* tiny, .*large-v3"):
        find_whisper("nonsense")
    with pytest.raises(CaptionerError, match=r"lacks config\.json, model\.bin, tokenizer\.json"):
        find_whisper(tmp_path)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.speech.whisper, "find_spec", lambda _: None)
    with pytest.raises(CaptionerError, match=r"pip install 'whenabouts\[speech\]'"):
        Whisper("small")


def words(*parts: tuple[float, float, str]) -> list[Any]:
    return [SimpleNamespace(start=start_s, end=end_s, word=word) for start_s, end_s, word in parts]


def test_segments_are_parted_at_ends_of_sentences_at_pauses_and_where_they_grow_long() -> None:
    spoken = words(
        *((0.0, 0.4, " Hello"), (0.4, 0.8, " there."), (0.8, 1.0, " Look"), (3.0, 3.2, " at")),
        *((3.2, 12.0, " me"), (12.0, 18.5, " now")),
    )
    segment = SimpleNamespace(start=0.0, end=18.5, text="all of it", words=spoken)
    said = [(one.start_s, one.end_s, one.text) for one in tools.speech.whisper._utterances(segment)]
    assert said == [
        (0.0, 0.8, "Hello there."),
        (0.8, 1.0, "Look"),
        (3.0, 12.0, "at me"),
        (12.0, 18.5, "now"),
    ]


def test_a_segment_without_times_of_words_is_taken_whole() -> None:
    segment = SimpleNamespace(start=1.0, end=2.0, text=" Hello. There. ", words=[])
    (said,) = tools.speech.whisper._utterances(segment)
    assert (said.start_s, said.end_s, said.text) == (1.0, 2.0, "Hello. There.")
    silent = SimpleNamespace(start=1.0, end=2.0, text=" ", words=None)
    assert list(tools.speech.whisper._utterances(silent)) == []
