"""Whisper by faster-whisper (the extra ``speech``): a transcriber from a model on this machine.

It never fetches a model: those have between 75 MB and 3 GB.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import CaptionerError
from tools.speech.transcript import Utterance
from tools.user_paths import expand_user
from tools.video.identity import sampled_id

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = ("config.json", "model.bin", "tokenizer.json")
"""What a folder must have. Without the last one, faster-whisper would ask the network for it."""

SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "।")

PAUSE_S = 1.0
"""Words this far apart belong to two utterances."""

MAX_UTTERANCE_S = 15.0

THREADS = 2


class Whisper:
    """A model, loaded when it first listens; see ``tools.speech.transcript.Transcriber``.

    Stretches without a voice are left out beforehand (Silero's detector, which comes with
    faster-whisper), since Whisper invents words for them. Its segments of up to half a minute are
    split at the ends of sentences and at pauses, by the times of their words. The same sound comes
    out in the same words every time.

    Args:
        model: A folder with a model for CTranslate2, the name of one on the Hugging Face hub that
            lies in its cache, or the short name of one in the cache, such as ``small``.
        language: Code of the language spoken, such as ``de``; None finds it out for each piece.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: How CTranslate2 calculates, such as ``int8``; ``default`` as it was saved.

    Raises:
        CaptionerError: If the extra or the model is not here. When it first listens: if the model
            cannot be loaded, or does not know the language.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        language: str | None = None,
        device: str = "auto",
        compute_type: str = "default",
    ) -> None:
        self._folder = find_whisper(model)
        self._language = language
        self._device = device
        self._compute_type = compute_type
        self._loaded: Any = None
        self._name = f"whisper:{Path(model).name}@{sampled_id(self._folder / 'model.bin')[:12]}"

    @property
    def model(self) -> str:
        return self._name

    @property
    def mode(self) -> str:
        return f"speech:{self._language}" if self._language else "speech"

    def __call__(self, samples: NDArray[np.float32]) -> Iterator[Utterance]:
        """Transcribe; see ``tools.speech.transcript.Transcriber``."""
        if self._loaded is None:
            self._loaded = self._load()
        try:
            segments, _ = self._loaded.transcribe(
                samples,
                language=self._language,
                vad_filter=True,
                word_timestamps=True,
                # Its second tries at higher temperatures throw dice, and what is indexed twice must
                # come out the same. Without the words before, what it repeats ends with a window.
                temperature=0.0,
                condition_on_previous_text=False,
            )
            for segment in segments:
                yield from _utterances(segment)
        except RuntimeError as exc:
            raise CaptionerError(
                f"the speech model failed ({_line(exc)}); try the device cpu"
            ) from exc

    def _load(self) -> Any:
        try:
            loaded = _library().WhisperModel(
                str(self._folder),
                device=self._device,
                compute_type=self._compute_type,
                cpu_threads=THREADS,
            )
        except (RuntimeError, ValueError, OSError) as exc:
            raise CaptionerError(
                f"the speech model in {self._folder} cannot be loaded ({_line(exc)}); fetch or "
                "convert it again, or try the device cpu"
            ) from exc
        known = loaded.supported_languages
        if self._language is not None and self._language not in known:
            raise CaptionerError(
                f"the speech model in {self._folder} does not know the language "
                f"{self._language!r}; it knows {', '.join(known[:12])}"
                f"{' and more' if len(known) > 12 else ''}"
            )
        return loaded


def find_whisper(model: str | Path) -> Path:
    """The folder of a speech model on this machine; asks the network for nothing.

    Args:
        model: See ``Whisper``.

    Raises:
        CaptionerError: If the extra is not installed, or there is no such model.
    """
    if find_spec("faster_whisper") is None:
        raise CaptionerError("speech needs the extra: pip install 'whenabouts[speech]'")
    folder = expand_user(model)
    if not folder.is_dir():
        folder = _cached(str(model))
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise CaptionerError(
            f"{folder} is not a speech model for CTranslate2: it lacks {', '.join(missing)}; "
            "convert a Whisper checkpoint with `ct2-transformers-converter --model CHECKPOINT "
            "--copy_files tokenizer.json preprocessor_config.json --output_dir FOLDER`"
        )
    return folder


def _cached(name: str) -> Path:
    library = _library()
    try:
        return Path(library.download_model(name, local_files_only=True))
    except OSError as exc:
        raise CaptionerError(
            f"the speech model {name} is not on this machine (75 MB for tiny, 3 GB for large-v3); "
            'fetch it with `python -c "import faster_whisper; '
            f"faster_whisper.download_model('{name}')\"`, or give the folder of another one"
        ) from exc
    except ValueError as exc:
        raise CaptionerError(
            f"there is no speech model {name!r}: neither a folder, nor a name on the hub such as "
            f"Systran/faster-whisper-small, nor one of {', '.join(library.available_models())}"
        ) from exc


def _library() -> Any:
    """faster-whisper, which has no type annotations."""
    return import_module("faster_whisper")


def _utterances(segment: Any) -> Iterator[Utterance]:
    """Split a segment at sentence ends and pauses, and where it grows long."""
    if not segment.words:
        if segment.text.strip():
            yield Utterance(segment.start, max(segment.start, segment.end), segment.text.strip())
        return
    words: list[Any] = []
    for word in segment.words:
        if words and (
            words[-1].word.rstrip().endswith(SENTENCE_ENDS)
            or word.start - words[-1].end >= PAUSE_S
            or word.end - words[0].start > MAX_UTTERANCE_S
        ):
            yield from _joined(words)
            words = []
        words.append(word)
    yield from _joined(words)


def _joined(words: list[Any]) -> Iterator[Utterance]:
    # Words come with the space before them, where their language has one.
    text = "".join(word.word for word in words).strip()
    if text:
        start_s = float(words[0].start)
        yield Utterance(start_s, max(start_s, float(words[-1].end)), text)


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
