"""The journal: every line is on disk at once, and whatever ends a process leaves it readable."""

from pathlib import Path

import pytest

from tools.captioners.protocol import Description, NoCaption
from tools.errors import StoreError
from tools.indexing.journal import Journal, Said
from tools.timeline import Track

TRACK = Track("tiny", "v1", "frame@1/s")
SAID: list[Said] = [
    Description(0.1 + 0.2, "a «door» opens\nslowly", "vision", 0.1 + 0.2),
    NoCaption(1 / 3, "refused: ü"),
    Description(2.0, "text", "screen", None),
]


def journal(folder: Path, track: Track = TRACK) -> Journal:
    return Journal(folder / "journals", video_id="abc", track=track)


def test_what_was_written_is_read_back_to_the_last_digit(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    for count, said in enumerate(SAID, 1):
        writing.append(said)
        # Another process would see it now.
        assert journal(tmp_path).read() == SAID[:count]
    writing.close()
    assert journal(tmp_path, Track("other", "", "")).read() == []


def test_a_line_that_was_cut_off_is_left_out_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    first = journal(tmp_path)
    for said in SAID[:2]:
        first.append(said)
    first.close()
    whole = first.path.read_bytes()
    for length in range(len(whole)):
        first.path.write_bytes(whole[:length])
        kept = journal(tmp_path).read()
        assert kept == SAID[: whole[:length].count(b"\n") + (whole[length : length + 1] == b"\n")]
        again = journal(tmp_path)
        again.append(SAID[2])
        again.close()
        assert journal(tmp_path).read() == [*kept, SAID[2]]


def test_a_deleted_journal_is_empty_and_can_be_deleted_again(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    writing.append(SAID[0])
    for _ in range(2):
        writing.delete()
        assert journal(tmp_path).read() == []


def test_a_journal_that_cannot_be_written_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "journals").write_text("a file in its place")
    writing = journal(tmp_path)
    with pytest.raises(StoreError, match=r"the journal .*abc-.*\.jsonl cannot be written"):
        writing.append(SAID[0])
    writing.append(SAID[0])


def test_a_journal_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    writing.path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be read"):
        writing.read()
