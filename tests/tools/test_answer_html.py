"""How an answer shows itself in a notebook."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent.grounding import Grounding
from tests.drawing import draw_video, even_times
from tests.road import GOOD_REPLY, QUESTION, ScriptedReasoner, ask, graph_with, stored
from tools.answer_html import FRAMES
from tools.video.reader import probe

HOSTILE = '<script>alert("x")</script> & <img src=http://example.org/x onerror=y>'


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Grounding:
    with stored(tmp_path_factory.mktemp("html")) as store:
        return ask(graph_with(store, ScriptedReasoner(GOOD_REPLY)), QUESTION)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_interval_is_marked_where_it_lies(answer: Grounding) -> None:
    page = answer._repr_html_()
    assert "left:33.333%;width:25.000%" in page  # from 8 s to 14 s of 24 s
    assert "0:08.0–0:14.0" in page
    assert "found" in page
    assert "a brown dog jumps over a fence" in page
    assert Tags(page).open == []


def test_nothing_in_it_is_markup_that_somebody_else_wrote(answer: Grounding) -> None:
    (interval,) = answer.intervals
    evidence = tuple(one.model_copy(update={"text": HOSTILE}) for one in interval.evidence)
    hostile = answer.model_copy(
        update={
            "query": HOSTILE,
            "reasoning": HOSTILE,
            "warning": HOSTILE,
            "advice": HOSTILE,
            "intervals": (interval.model_copy(update={"evidence": evidence}),),
            "video": answer.video.model_copy(update={"path": f"/videos/{HOSTILE}"}),
            "models": answer.models.model_copy(update={"captioner": HOSTILE, "reasoner": HOSTILE}),
        }
    )
    mine, theirs = Tags(answer._repr_html_()), Tags(hostile._repr_html_())
    assert {tag for tag, _ in theirs.found} == {tag for tag, _ in mine.found}
    assert not any("onerror" in attributes for _, attributes in theirs.found)


def test_the_filmstrip_is_in_it_and_nothing_is_fetched(answer: Grounding, tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "clip.mp4", even_times(48, 2)))
    facts = answer.video.model_copy(update={"path": str(video.path), "id": video.id})
    page = answer.model_copy(update={"video": facts})._repr_html_()
    sources = [attributes["src"] for tag, attributes in Tags(page).found if tag == "img"]
    assert len(sources) == FRAMES
    assert all(source and source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(r"https?://|url\(", page)


def test_another_video_under_the_name_is_not_shown(answer: Grounding, tmp_path: Path) -> None:
    path = draw_video(tmp_path / "clip.mp4", even_times(48, 2))
    facts = answer.video.model_copy(update={"path": str(path)})
    page = answer.model_copy(update={"video": facts})._repr_html_()
    assert "<img" not in page
    assert "0:08.0–0:14.0" in page


def test_an_answer_that_found_nothing_shows_what_was_closest(answer: Grounding) -> None:
    none = answer.model_copy(
        update={
            "verdict": "not_found",
            "intervals": (),
            "closest_rejected": answer.candidates[0],
        }
    )
    page = none._repr_html_()
    assert "not found" in page
    assert "closest: 0:" in page
