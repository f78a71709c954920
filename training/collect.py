"""``whenabouts tune data``: has a teacher describe frames of annotated videos, and keeps it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from tools.captioners.looks import encode_jpeg
from tools.errors import ServiceError, VideoError
from tools.llm.in_flight import run_in_flight
from tools.video.reader import measure_duration_s, probe
from training.conversations import (
    TuningError,
    TuningRow,
    digest,
    image_file,
    is_whole_image,
    keep_image,
    write_data,
)
from training.replies import open_replies, read_replies
from training.samples import Sample, choose_samples, is_held_out, looks_at, video_files
from training.teacher import MAX_IMAGE_BYTES, NOT_SHOWN, Lesson, Taught, Teacher

if TYPE_CHECKING:
    import threading

    from evaluation.datasets.query import Query
    from prompts.catalog import Prompts
    from tools.captioners.looks import Look, LookMode

Strategy = Literal["activity", "general"]
"""Which prompt a description answers, as of ``ask --strategy``."""


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """What is going to be asked.

    Attributes:
        samples: In order of video and time.
        files: Each video's file.
        missing: Videos of the annotations that are not there.
        unreadable: Videos that are there and cannot be read, with the reason.
    """

    samples: Sequence[Sample]
    files: Mapping[str, Path]
    missing: Sequence[str]
    unreadable: Mapping[str, str]


@dataclass(slots=True)
class Collected:
    """What a run brought.

    Attributes:
        asked: Samples that were asked for now.
        lessons: Lessons by the key of their sample, of earlier runs too.
        dropped: Why samples gave no lesson, counted.
        usd: US dollars paid by all runs; None where that is not known.
        is_whole: Whether nothing is left to be asked.
    """

    asked: int = 0
    lessons: dict[str, tuple[Lesson, tuple[str, ...]]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    usd: float | None = 0.0
    is_whole: bool = False


def plan(queries: Sequence[Query], videos: Path, *, inside: int, outside: int) -> SamplePlan:
    """Choose what to ask.

    Args:
        queries: The annotations.
        videos: Folder of videos.
        inside: Frames an event.
        outside: Frames outside of it.

    Raises:
        TuningError: If no video can be used.
    """
    names = sorted({one.video_id for one in queries})
    files = video_files(videos, names)
    durations_s, unreadable = {}, {}
    for name, file in files.items():
        try:
            durations_s[name] = measure_duration_s(probe(file))
        except VideoError as exc:
            unreadable[name] = str(exc)
    usable = [one for one in queries if one.video_id in durations_s and len(one.windows)]
    if not usable:
        why = f"; {next(iter(unreadable.values()))}" if unreadable else ""
        raise TuningError(
            f"none of the {len(names)} videos of the annotations can be read in {videos}{why}"
        )
    samples = choose_samples(usable, durations_s, inside=inside, outside=outside)
    return SamplePlan(samples, files, [one for one in names if one not in files], unreadable)


def asked_by(teacher: Teacher, *, mode: LookMode, rate_hz: float) -> dict[str, Any]:
    """What a reply depends on besides its sample, as it is kept beside each."""
    return {
        "teacher": teacher.name,
        "mode": str(mode),
        "rate_hz": rate_hz if mode.frames > 1 else None,
        "prompts": dict(teacher.prompts),
    }


def collect(
    to_ask: SamplePlan,
    teacher: Teacher,
    out: Path,
    *,
    mode: LookMode,
    rate_hz: float,
    in_flight: int,
    max_usd: float | None,
    report: Callable[[int, float | None], None],
) -> Collected:
    """Ask for what is missing; each reply is kept as soon as it is there.

    Args:
        to_ask: From ``plan``.
        teacher: Who is asked.
        out: Folder of the data set.
        mode: What is shown at a time.
        rate_hz: Frames a second between neighbours of a look.
        in_flight: Requests at a time.
        max_usd: No request is begun when so much is spent.
        report: Told how many samples are done, and US dollars so far.

    Raises:
        TuningError: If the disk does not take it, the replies there are another's, or the service
            cannot be asked any further; what was bought is kept.
        KeyboardInterrupt: After all that was paid for is kept.
    """
    collected = Collected()
    asked = asked_by(teacher, mode=mode, rate_hz=rate_hz)
    is_spent = False

    def looks() -> Iterator[tuple[Sample, Look, tuple[str, ...]]]:
        nonlocal is_spent
        for sample, look in _looks(to_ask, wanted, collected.dropped, mode=mode, rate_hz=rate_hz):
            if max_usd is not None and (collected.usd or 0.0) >= max_usd:
                is_spent = True
                return
            # In this order: what may find the disk full comes before what costs money.
            images = _keep_images(out, look)
            replies.make_room()
            yield sample, look, images

    def ask(
        shown: tuple[Sample, Look, tuple[str, ...]], stopping: threading.Event
    ) -> tuple[Sample, tuple[str, ...], Taught]:
        sample, look, images = shown
        return sample, images, teacher.teach(sample, look, stopping)

    try:
        with open_replies(out) as replies:
            done = read_replies(out, asked)
            for row in done.values():
                _count(collected, row)
            wanted = [one for one in to_ask.samples if one.key not in done]
            _restore_images(to_ask, collected, out, mode=mode, rate_hz=rate_hz)
            left = len(wanted)
            # With a limit, few at a time: what is under way when it is reached is paid for too.
            limit = min(in_flight, 4) if max_usd is not None else in_flight
            for arrived in run_in_flight(ask, looks(), limit=limit):
                if arrived is None:
                    continue
                row = asked | _row(*arrived)
                replies.keep(row)
                _count(collected, row)
                if max_usd is not None and collected.usd is None:
                    raise TuningError(
                        f"{teacher.name} does not tell how many tokens it took, so --max-usd "
                        f"{max_usd:g} cannot be enforced; what was bought so far is kept, and the "
                        "same command without it goes on from there"
                    )
                collected.asked += 1
                left -= 1
                report(len(to_ask.samples) - left, collected.usd)
    except OSError as exc:
        raise TuningError(
            f"{out} cannot be written ({exc.strerror or exc}); what was bought so far is kept, and "
            "the same command goes on from there"
        ) from None
    except ServiceError as exc:
        raise TuningError(
            f"{teacher.name}: {exc}; {len(collected.lessons)} lessons are kept, and the same "
            "command goes on from there"
        ) from None
    collected.is_whole = not is_spent
    return collected


def finish(
    to_ask: SamplePlan,
    collected: Collected,
    out: Path,
    *,
    teacher: Teacher,
    prompts: Prompts,
    about: Mapping[str, Any],
    mode: LookMode,
    strategy: Strategy = "activity",
) -> Mapping[str, Any]:
    """Write the data set from what was collected; returns the manifest.

    Args:
        to_ask: From ``plan``.
        collected: From ``collect``.
        out: Folder of the data set.
        teacher: Who was asked.
        prompts: Its ``describe_activity`` or ``describe_general`` is what descriptions answer.
        about: What the manifest says besides.
        mode: What was shown at a time.
        strategy: Which of the two prompts; the teacher's replies are the same.

    Raises:
        TuningError: If there is nothing to train on, or the disk does not take it.
    """
    sets: dict[bool, list[TuningRow]] = {False: [], True: []}
    for sample in to_ask.samples:
        if sample.key in collected.lessons:
            lesson, images = collected.lessons[sample.key]
            rows = sets[is_held_out(sample.query.video_id)]
            rows += conversations_of(sample, lesson, images, prompts=prompts, strategy=strategy)
    if not sets[False]:
        raise TuningError(
            f"of {len(to_ask.samples)} samples none brought a lesson to train on: "
            f"{dict(collected.dropped) or 'all their videos are held out'}"
        )
    describes = f"describe_{strategy}"
    return write_data(
        out,
        sets[False],
        sets[True],
        {
            **about,
            "teacher": teacher.name,
            "mode": str(mode),
            "strategy": strategy,
            "prompts": {describes: prompts.version(describes), **teacher.prompts},
            "samples": len(to_ask.samples),
            "lessons": len(collected.lessons),
            "dropped": dict(collected.dropped),
            "videos_missing": len(to_ask.missing),
            "videos_unreadable": dict(to_ask.unreadable),
            "usd": collected.usd,
            "whole": collected.is_whole,
        },
    )


def conversations_of(
    sample: Sample,
    lesson: Lesson,
    images: tuple[str, ...],
    *,
    prompts: Prompts,
    strategy: Strategy = "activity",
) -> list[TuningRow]:
    """A description in the very form in which captions are asked for, and the questions."""
    about = (sample.query.video_id, sample.time_s)
    if strategy == "activity":
        asked = prompts.render("describe_activity", query=sample.query.text)
        said = lesson.description
    else:
        # Nobody has asked for the event, so there is nothing that is not shown.
        asked = prompts.render("describe_general")
        said = lesson.description.removeprefix(NOT_SHOWN).strip()
    rows = [TuningRow(images, asked, said, *about, "description", sample.inside)] if said else []
    rows += [
        TuningRow(images, one.question, one.answer, *about, "question", sample.inside)
        for one in lesson.questions
    ]
    return rows


def _looks(
    to_ask: SamplePlan,
    samples: Sequence[Sample],
    dropped: Counter[str],
    *,
    mode: LookMode,
    rate_hz: float,
) -> Iterator[tuple[Sample, Look]]:
    """What samples show; those that a video turns out not to have are counted as dropped."""
    by_video: dict[str, list[Sample]] = {}
    for sample in samples:
        by_video.setdefault(sample.query.video_id, []).append(sample)
    for name, of_video in by_video.items():
        seen = 0
        try:
            video = probe(to_ask.files[name])
            for pair in looks_at(video, of_video, mode=mode, rate_hz=rate_hz):
                seen += 1
                yield pair
        except VideoError:
            dropped["the video cannot be decoded"] += len(of_video) - seen
            continue
        if seen < len(of_video):
            dropped["the video has no frame there"] += len(of_video) - seen


def _keep_images(out: Path, look: Look) -> tuple[str, ...]:
    return tuple(
        keep_image(out, encode_jpeg(one, max_bytes=MAX_IMAGE_BYTES)) for one in look.images
    )


def _restore_images(
    to_ask: SamplePlan, collected: Collected, out: Path, *, mode: LookMode, rate_hz: float
) -> None:
    """Take pictures that are broken or gone from their videos again; the teacher is not asked."""
    broken = [
        one
        for one in to_ask.samples
        if one.key in collected.lessons
        and not all(is_whole_image(out, name) for name in collected.lessons[one.key][1])
    ]
    for sample in broken:
        for name in collected.lessons[sample.key][1]:
            if not is_whole_image(out, name):
                image_file(out, name).unlink(missing_ok=True)
    for sample, look in _looks(to_ask, broken, Counter(), mode=mode, rate_hz=rate_hz):
        lesson, _ = collected.lessons[sample.key]
        collected.lessons[sample.key] = (lesson, _keep_images(out, look))
    for sample in broken:
        if not all(is_whole_image(out, name) for name in collected.lessons[sample.key][1]):
            del collected.lessons[sample.key]
            collected.dropped["its picture is gone, and so is the video"] += 1


def _row(sample: Sample, images: tuple[str, ...], taught: Taught) -> dict[str, Any]:
    return {
        "key": sample.key,
        "video": sample.query.video_id,
        "time_s": sample.time_s,
        "inside": sample.inside,
        "lesson": taught.lesson.model_dump() if taught.lesson else None,
        "images": images,
        "reason": taught.reason,
        "usage": asdict(taught.usage),
    }


def _count(collected: Collected, row: Mapping[str, Any]) -> None:
    usd = row.get("usage", {}).get("usd")
    collected.usd = None if usd is None or collected.usd is None else collected.usd + usd
    if row.get("lesson") is None:
        collected.dropped[str(row.get("reason", "")).split(":")[0][:60]] += 1
        return
    try:
        lesson = Lesson.model_validate(row["lesson"])
    except ValidationError:
        collected.dropped["the kept reply is damaged"] += 1
        return
    if lesson.visible != row["inside"]:
        collected.dropped["teacher and annotation disagree"] += 1
        return
    collected.lessons[row["key"]] = (lesson, tuple(row["images"]))


def digest_of(file: Path) -> str:
    """Of a file of annotations, for the manifest."""
    return digest(file.read_bytes())
