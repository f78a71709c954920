"""``whenabouts trace``: what a trace file looks like printed, and what is said of a bad one."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agent.cli.trace_tree import render_trace
from agent.tracing.spans import Kind, Span
from agent.tracing.trace_file import TraceError, TraceFile, read_trace
from tests.refused_trace import FILE, PAGE, text_blocks, write_trace

BEGAN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class Written:
    """A trace file, span by span, until its path is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = TraceFile(path)
        self._count = 0

    @property
    def path(self) -> Path:
        """Of the file, with all that was told."""
        self._file.close(within_s=0)
        return self._path

    def begin(
        self,
        name: str,
        *,
        after_s: float = 0.0,
        below: Span | None = None,
        kind: Kind = "chain",
        **inputs: Any,
    ) -> Span:
        self._count += 1
        span_id = UUID(int=self._count)
        span = Span(
            id=span_id,
            trace_id=below.trace_id if below else span_id,
            parent_id=below.id if below else None,
            order="",
            name=name,
            kind=kind,
            start=BEGAN + timedelta(seconds=after_s),
            inputs=inputs,
        )
        self._file.started(span)
        return span

    def end(self, span: Span, *, after_s: float, **changed: Any) -> None:
        end = BEGAN + timedelta(seconds=after_s)
        self._file.ended(replace(span, end=end, **changed))


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    written = Written(tmp_path / "trace.jsonl")
    yield written
    assert written.path.exists()


def test_times_count_from_the_question_and_the_tree_from_its_parents(written: Written) -> None:
    root = written.begin("find", query="a dog")
    step = written.begin("reason", after_s=61.0, below=root)
    written.end(step, after_s=61.5)
    written.end(root, after_s=62.0)
    assert render_trace(written.path).splitlines()[1:] == [
        "0:00.00   62.00 s   find: “a dog”",
        "1:01.00    0.50 s   └─ reason",
    ]


def test_what_was_under_way_at_a_crash_is_not_over(written: Written) -> None:
    root = written.begin("find")
    written.begin("watch", below=root)
    lines = render_trace(written.path).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["0:00.00", "not", "over", "find"],
        ["0:00.00", "not", "over", "└─", "watch"],
    ]


def test_a_line_that_was_cut_off_by_a_crash_is_left_out(written: Written) -> None:
    written.begin("find")
    with written.path.open("a") as file:
        file.write('{"trace": 1, "at": "sta')
    assert [span.name for span in read_trace(written.path)] == ["find"]


def test_an_error_stands_under_the_step_that_failed(written: Written) -> None:
    root = written.begin("find")
    written.end(root, after_s=1.0, error="VideoError: there is no file none.mp4")
    assert "│  failed: VideoError" not in render_trace(written.path)
    assert "   failed: VideoError: there is no file none.mp4" in render_trace(written.path)


def test_look_ups_are_told_with_what_they_asked_for(written: Written) -> None:
    root = written.begin("look_up")
    asked = {
        "tool": "read_captions",
        "arguments": {"start_s": 2.0, "end_s": 4.0},
        "caption_ids": ["a", "b"],
        "note": "",
    }
    written.end(root, after_s=1.0, outputs={"turns": [{"look_ups": [asked], "refusal": None}]})
    assert "read_captions(start_s=2.0, end_s=4.0): 2 captions" in render_trace(written.path)


def test_pictures_and_tools_are_shown_among_the_prompts(written: Written) -> None:
    url = "(image sha256:00, 9 bytes)"
    blocks = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": url}}]
    root = written.begin("model", kind="llm", messages=[{"role": "user", "content": blocks}])
    call = {"tool": "search_captions", "arguments": {"text": "dog"}}
    reply = {"role": "assistant", "content": "", "tool_calls": [call]}
    written.end(root, after_s=1.0, outputs={"reply": reply})
    assert "image" not in render_trace(written.path)
    lines = [line.strip() for line in render_trace(written.path, prompts=True).splitlines()]
    assert lines[3:5] == ["see", url]
    assert '→ search_captions {"text": "dog"}' in lines


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("oh", "no JSON: Expecting value at column 1"),
        ("[]", "list indices must be integers"),
        ('{"t": 0, "caption": "a dog"}', "'trace' is missing"),
        ('{"trace": 2}', "version 2, not 1"),
        ('{"trace": 1, "at": "end", "id": "x"}', "badly formed hexadecimal UUID"),
        (f'{{"trace": 1, "at": "end", "id": "{UUID(int=9)}"}}', "or the span's beginning is"),
    ],
)
def test_a_bad_line_is_named_with_its_number(written: Written, line: str, why: str) -> None:
    written.begin("find")
    with written.path.open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(TraceError) as raised:
        render_trace(written.path)
    assert str(raised.value).startswith(f"{written.path}:3: this line is not part of a trace")
    assert why in str(raised.value)


def test_a_file_that_is_no_trace_says_what_writes_one(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    for path in (empty, tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(TraceError, match=r"--trace FILE\.jsonl"):
            render_trace(path)
    with pytest.raises(TraceError, match=r"cannot be written .*: No such file"):
        TraceFile(tmp_path / "none" / "trace.jsonl")


# The page that reads one.


def test_the_page_shows_what_the_shipped_trace_prints() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"```text\n(.*?)\n```", page, re.DOTALL) == text_blocks()


def test_the_shipped_trace_is_what_the_same_question_writes_today(tmp_path: Path) -> None:

    def told(path: Path) -> str:
        def without_times(value: Any) -> Any:
            if isinstance(value, dict):
                return {
                    name: without_times(one)
                    for name, one in value.items()
                    if name not in {"seconds", "usage"}
                }
            return [without_times(one) for one in value] if isinstance(value, list) else value

        spans = [
            [span.name, span.inputs, span.outputs, span.metadata, span.tags]
            for span in read_trace(path)
        ]
        return json.dumps(without_times(spans), indent=1)

    write_trace(tmp_path / "new.jsonl")
    assert told(tmp_path / "new.jsonl") == told(FILE), "run: python -m tests.refused_trace"
