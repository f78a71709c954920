"""JSON that steers no terminal, as on the command line: some ask the page's API from one."""

from typing import Any

from fastapi.responses import JSONResponse

from tools.text import printable_json


class PlainJson(JSONResponse):
    """The same values; characters that steer a terminal or turn its text around are escaped."""

    def render(self, content: Any) -> bytes:
        return printable_json(bytes(super().render(content)).decode()).encode()
