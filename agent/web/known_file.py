"""A file, unless the one who asks has it already: players and pages ask again and again."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from stat import ST_MTIME
from typing import TYPE_CHECKING

from anyio import to_thread
from fastapi.responses import FileResponse, Response
from starlette.datastructures import Headers

from agent.web.library import NotServedError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_LAST_S = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
"""No calendar goes further."""


class KnownFile(FileResponse):
    """As ``FileResponse``; to one who names its ``ETag`` or date, 304 and nothing of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, part of it, or that it is the same."""
        try:
            self.stat_result = await to_thread.run_sync(os.stat, self.path)
        except FileNotFoundError:
            raise NotServedError("the file was deleted just now; reload the list") from None
        self.set_stat_headers(self.stat_result)
        if not self._is_known(Headers(scope=scope)):
            await super().__call__(scope, receive, send)
            return
        kept = {name: self.headers[name] for name in ("etag", "last-modified")}
        if said := self.headers.get("cache-control"):
            kept["cache-control"] = said
        await Response(status_code=304, headers=kept)(scope, receive, send)

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        """As ``FileResponse``; what bears a date that HTTP cannot say has the nearest one."""
        facts = list(stat_result[:10])
        facts[ST_MTIME] = min(max(stat_result.st_mtime, 0), _LAST_S)
        is_said = facts[ST_MTIME] == stat_result.st_mtime
        super().set_stat_headers(stat_result if is_said else os.stat_result(facts))

    def _is_known(self, asked: Headers) -> bool:
        # Where both are given, the date does not count.
        if tags := asked.get("if-none-match"):
            named = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
            return bool(named & {"*", self.headers["etag"]})
        try:
            since = parsedate_to_datetime(asked.get("if-modified-since", ""))
            return since >= parsedate_to_datetime(self.headers["last-modified"])
        except (ValueError, TypeError):  # None, no date, or one without a zone.
            return False
