"""The files of a run: what was answered, and what captioning cost, as it comes.

A run that is killed at any moment has lost nothing but what was under way. Started again, it goes
on from there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from agent.grounding import Cost
from evaluation.datasets.nulls import AskedQuestion
from evaluation.results import BenchmarkError, Result, read_results, sum_usd
from tools.output_files import refuse_strange_files

RESULTS, CAPTIONING, RUN = "results.jsonl", "captioning.jsonl", "run.json"
SUMMARY, TIMING, PREDICTIONS = FIGURES = ("summary.json", "timing.json", "predictions.jsonl")


@dataclass(frozen=True, slots=True)
class CaptionsPaid:
    """What making captions for one question took.

    Attributes:
        cost: Captions, tokens and dollars.
        seconds: Wall time.
    """

    cost: Cost = Cost()  # noqa: RUF009 - frozen
    seconds: float = 0.0


class RunFolder:
    """The files of one run. Any thread may write.

    Attributes:
        path: The folder.
        results: By question; errors of earlier starts too.
        captioning: By question: what captions were made when its turn came.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[str, Result] = {}
        self.captioning: dict[str, CaptionsPaid] = {}
        self._writing = threading.Lock()

    @contextmanager
    def open(
        self, identity: Mapping[str, Any], questions: Sequence[AskedQuestion]
    ) -> Iterator[None]:
        """Take up what is there, and keep other processes out.

        Args:
            identity: What the answers depend on; a run that goes on must have the same.
            questions: What is asked now.

        Raises:
            BenchmarkError: If the folder cannot be written to, is in use, or is another run's.
            VideoError: If files that are not a run's would be replaced.
        """
        refuse_strange_files(self.path, (RESULTS, CAPTIONING, *FIGURES), marker=RUN)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise BenchmarkError(
                f"another whenabouts eval is writing to {self.path}; wait for it, or give another "
                "--out"
            ) from None
        except OSError as exc:
            raise BenchmarkError(f"cannot write to {self.path}: {exc.strerror}") from exc
        try:
            self._check_identity(json.loads(json.dumps(identity)))
            self._take_up(questions)
            yield
        finally:
            lock.release()

    def add(self, result: Result) -> None:
        """Write an answer down; it is on the disk when this returns."""
        with self._writing:
            self.results[result.key] = result
            self._append(RESULTS, result.as_line())

    def add_captioning(self, key: str, cost: Cost, *, seconds: float = 0.0) -> None:
        """Write down what captions cost, as they are made for a question."""
        with self._writing:
            before = self.captioning.get(key, CaptionsPaid())
            self.captioning[key] = CaptionsPaid(before.cost.plus(cost), before.seconds + seconds)
            plain = {"key": key, "seconds": seconds, **cost.model_dump()}
            self._append(CAPTIONING, json.dumps(plain) + "\n")

    def spent_usd(self) -> float | None:
        """What all starts of this run have cost so far; None where a price is not known."""
        with self._writing:
            # Captions count before their question is answered, and then once.
            costs = [self.captioning[key].cost for key in self.captioning.keys() - self.results]
            costs += [cost for result in self.results.values() for cost in result.costs.values()]
        return sum_usd(cost.usd for cost in costs)

    def finish(self, questions: Sequence[AskedQuestion]) -> list[Result]:
        """Put the results in the order of the questions, also in the file; returns them."""
        ordered = [self.results[one.key] for one in questions if one.key in self.results]
        write_whole(self.path / RESULTS, "".join(one.as_line() for one in ordered))
        return ordered

    def _check_identity(self, identity: dict[str, Any]) -> None:
        path = self.path / RUN
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            write_whole(path, json.dumps(identity, indent=2, ensure_ascii=False) + "\n")
            return
        except (OSError, ValueError) as exc:
            raise BenchmarkError(f"cannot read {path}: {exc}") from exc
        if not isinstance(earlier, dict):
            raise BenchmarkError(f"{path} is not of a run; give another --out")
        for name, now in identity.items():
            if earlier.get(name) != now:
                raise BenchmarkError(
                    f"{self.path} holds a run with {name} {_shown(earlier.get(name))}, and this "
                    f"is {_shown(now)}; give another --out"
                )

    def _take_up(self, questions: Sequence[AskedQuestion]) -> None:
        drop_cut_off_line(self.path / RESULTS)
        drop_cut_off_line(self.path / CAPTIONING)
        if (self.path / RESULTS).exists():
            self.results = {one.key: one for one in read_results(self.path / RESULTS)}
        videos = {one.key: one.video_id for one in questions}
        for key, result in self.results.items():
            if videos.get(key) != result.video:
                raise BenchmarkError(
                    f"{self.path / RESULTS} holds answers to other questions, {key} about "
                    f"{result.video} for one; give another --out for another selection"
                )
        for plain in _read_lines(self.path / CAPTIONING):
            key, seconds = plain.pop("key"), plain.pop("seconds")
            before = self.captioning.get(key, CaptionsPaid())
            cost = before.cost.plus(Cost(**plain))
            self.captioning[key] = replace(before, cost=cost, seconds=before.seconds + seconds)

    def _append(self, name: str, line: str) -> None:
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(line)


def write_whole(path: Path, content: str) -> None:
    """Write a file that is there whole or not at all, also when the process is killed."""
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(content, encoding="utf-8")
    scratch.replace(path)


def drop_cut_off_line(path: Path) -> None:
    """Cut off a last line that a killed process did not finish: what follows would join it."""
    if not path.exists():
        return
    content = path.read_bytes()
    kept = content.rfind(b"\n") + 1
    if kept < len(content):
        with path.open("r+b") as file:
            file.truncate(kept)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            plain = json.loads(line)
            Cost(**{name: value for name, value in plain.items() if name not in {"key", "seconds"}})
            yield plain
        except (TypeError, ValueError) as exc:
            raise BenchmarkError(f"{path}:{number}: not of whenabouts eval ({exc})") from exc


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
