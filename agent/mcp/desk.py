"""What the tools work with, opened and closed together; errors as the client's model reads them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mcp.server.mcpserver.exceptions import ToolError

from agent.errors import QueryError, WhenaboutsError
from agent.web.described import BusyError, NotDescribedError
from agent.web.library import Library, NotServedError
from agent.web.served import Served
from tools.retrieval.tracks import is_beside, is_measured, read_stretch
from tools.text import printable, whole_unicode
from tools.timeline import Interval
from tools.video.link_names import is_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from agent.api import Grounder
    from agent.web.library import ServedVideo
    from tools.store.store import VideoRecord
    from tools.timeline import Caption


class Desk(Served):
    """The videos of some folders, and everything that can be done with them.

    Args:
        grounder: Describes and answers.
        folders: Videos in and below them can be asked, and no others.
        complain: Receives the traceback of a fault.

    Raises:
        SettingsError: If a folder is none.
    """

    def __init__(
        self,
        grounder: Grounder,
        folders: Sequence[Path],
        *,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        # Several clients start a server each: none of them takes up the jobs of another.
        super().__init__(grounder, Library(folders, None), jobs_file=None, complain=complain)

    def check_askable(self, video: ServedVideo) -> None:
        """Refuse a question to a video that is not described; see ``check_askable``."""
        try:
            super().check_askable(video)
        except NotDescribedError as exc:
            told = NotDescribedError(exc.name, "call index_video first")
            raise ToolError(printable(str(told))) from None
        except BusyError as exc:
            raise ToolError(printable(str(exc))) from None

    def named(self, video: str) -> ServedVideo:
        """The video of an id, a path, a name, or of a link that was fetched before.

        Raises:
            NotServedError: If there is none.
        """
        if is_link(video) and (path := self.links.kept(video)):
            return self.library.let_in(path)
        return self.library.named(video)

    def _arrive(self, path: Path) -> str:
        return self.jobs.add(self.library.let_in(path)).video

    def captions(self, video: ServedVideo, start_s: float, end_s: float) -> list[Caption]:
        """The captions of a stretch, from those that a question would be answered from.

        Raises:
            QueryError: If it is no stretch.
        """
        record = self._read_first(video)
        if record is None:
            return []
        try:
            span = Interval(start_s, end_s)
        except ValueError as exc:
            raise QueryError(f"{exc}; name a stretch whose end is after its start") from None
        without = frozenset({"subtitles"} if self.grounder.settings.subtitles == "off" else ())
        return read_stretch(self.grounder.store, record, span, leave_out=without)

    def _read_first(self, video: ServedVideo) -> VideoRecord | None:
        """The track that is read first: of a file or an image model before what is measured."""
        main = [one for one in self.records(video) if one.complete and not is_beside(one.track)]
        described = [one for one in main if not is_measured(one.track)]
        return max(described or main, key=lambda one: one.indexed_at, default=None)


@contextmanager
def told_to_the_model() -> Iterator[None]:
    """Errors with a sentence for the user become errors of the tool, which the model reads."""
    try:
        yield
    except (WhenaboutsError, NotServedError, BusyError) as exc:
        raise ToolError(printable(whole_unicode(str(exc)))) from None
