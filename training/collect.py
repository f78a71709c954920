"""``whenabouts tune data``: has a teacher describe frames of annotated videos, and keeps it all."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import ValidationError

from tools.captioners.looks import encode_jpeg
from tools.errors import ServiceError, VideoError
from tools.llm.in_flight import run_in_flight
from tools.video.reader import measure_duration_s, probe
from training.conversations import TuningError, TuningRow, digest, keep_image, write_data
from training.samples import Sample, choose_samples, is_held_out, looks_at, video_files
from training.teacher import MAX_IMAGE_BYTES, Lesson, Taught, Teacher

if TYPE_CHECKING:
    import threading

    from evaluation.datasets.query import Query
    from prompts.catalog import Prompts
    from tools.captioners.looks import Look, LookMode

REPLIES = "replies.jsonl"


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
        TuningError: If the disk does not take it, or the replies there are another's.
        ServiceError: If the service cannot be asked any further.
        KeyboardInterrupt: After all that was paid for is kept.
    """
    done = read_replies(out, name=teacher.name, mode=str(mode))
    collected = Collected()
    for row in done.values():
        _count(collected, row)
    wanted = [one for one in to_ask.samples if one.key not in done]
    left = len(wanted)

    def is_spent() -> bool:
        return max_usd is not None and (collected.usd or 0.0) >= max_usd

    def looks() -> Iterator[tuple[Sample, Look]]:
        by_video: dict[str, list[Sample]] = {}
        for sample in wanted:
            by_video.setdefault(sample.query.video_id, []).append(sample)
        for name, samples in by_video.items():
            for pair in looks_at(probe(to_ask.files[name]), samples, mode=mode, rate_hz=rate_hz):
                if is_spent():
                    return
                yield pair

    def ask(pair: tuple[Sample, Look], stopping: threading.Event) -> tuple[Sample, Look, Taught]:
        sample, look = pair
        return sample, look, teacher.teach(sample, look, stopping)

    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / REPLIES).open("ab") as kept:
            _end_line(kept, out / REPLIES)
            # With a limit, few at a time: what is under way when it is reached is paid for too.
            limit = min(in_flight, 4) if max_usd is not None else in_flight
            for arrived in run_in_flight(ask, looks(), limit=limit):
                if arrived is None:
                    continue
                row = _row(arrived, out, teacher=teacher.name, mode=str(mode))
                kept.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode())
                kept.flush()
                _count(collected, row)
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
    collected.is_whole = left == 0
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
) -> Mapping[str, Any]:
    """Write the data set from what was collected; returns the manifest.

    Raises:
        TuningError: If there is nothing to train on, or the disk does not take it.
    """
    sets: dict[bool, list[TuningRow]] = {False: [], True: []}
    for sample in to_ask.samples:
        if sample.key in collected.lessons:
            lesson, images = collected.lessons[sample.key]
            rows = sets[is_held_out(sample.query.video_id)]
            rows += conversations_of(sample, lesson, images, prompts=prompts)
    if not sets[False]:
        raise TuningError(
            f"of {len(to_ask.samples)} samples none brought a lesson to train on: "
            f"{dict(collected.dropped) or 'all their videos are held out'}"
        )
    used = ["describe_activity"]
    if teacher.sees:
        used += ["teach", "teach_refused"]
    return write_data(
        out,
        sets[False],
        sets[True],
        {
            **about,
            "teacher": teacher.name,
            "mode": str(mode),
            "prompts": {name: prompts.version(name) for name in used},
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
    sample: Sample, lesson: Lesson, images: tuple[str, ...], *, prompts: Prompts
) -> list[TuningRow]:
    """A description in the very form in which captions are asked for, and the questions."""
    about = (sample.query.video_id, sample.time_s)
    asked = prompts.render("describe_activity", query=sample.query.text)
    described = TuningRow(images, asked, lesson.description, *about, "description", sample.inside)
    return [
        described,
        *(
            TuningRow(images, one.question, one.answer, *about, "question", sample.inside)
            for one in lesson.questions
        ),
    ]


def read_replies(out: Path, *, name: str, mode: str) -> dict[str, dict[str, Any]]:
    """What was bought before, by sample; a last line that is not whole is left out.

    Raises:
        TuningError: If they cannot be read, or are another teacher's or of another mode.
    """
    try:
        lines = (out / REPLIES).read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise TuningError(f"{out / REPLIES} cannot be read ({exc.strerror or exc})") from None
    rows = {}
    for line in lines:
        try:
            row = json.loads(line)
            key, by, shown = row["key"], row["teacher"], row["mode"]
        except (ValueError, TypeError, KeyError):
            continue  # The process was killed while it wrote this line.
        if (by, shown) != (name, mode):
            raise TuningError(
                f"{out} holds what {by} said of {shown} looks, and now {name} is asked of {mode} "
                "looks; name another folder with --out"
            )
        rows[key] = row
    return rows


def _row(
    asked: tuple[Sample, Look, Taught], out: Path, *, teacher: str, mode: str
) -> dict[str, Any]:
    sample, look, taught = asked
    images = []
    if taught.lesson is not None:
        images = [
            keep_image(out, encode_jpeg(one, max_bytes=MAX_IMAGE_BYTES)) for one in look.images
        ]
    return {
        "key": sample.key,
        "teacher": teacher,
        "mode": mode,
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


def _end_line(kept: BinaryIO, file: Path) -> None:
    """A line that a killed process left unfinished must not swallow the next one."""
    if kept.tell():
        with file.open("rb") as written:
            written.seek(-1, os.SEEK_END)
            if written.read(1) != b"\n":
                kept.write(b"\n")


def digest_of(file: Path) -> str:
    """Of a file of annotations, for the manifest."""
    return digest(file.read_bytes())
