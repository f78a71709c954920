"""The server itself, and the two ways to reach it: standard input and output, and HTTP."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from agent.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mcp.server.mcpserver import MCPServer
    from starlette.types import ASGIApp

    from agent.api import Grounder
    from agent.mcp.desk import Desk

HTTP_PATH = "/mcp"
MOST_BODY_BYTES = 1 << 20


def make_server(desk: Desk) -> MCPServer[Any]:
    """The server over a desk, which has to be open while it answers."""
    from mcp.server.mcpserver import MCPServer

    from agent.mcp.asking_tools import add_asking_tools
    from agent.mcp.index_tools import add_index_tools
    from agent.mcp.picture_tools import add_picture_tools

    server: MCPServer[Any] = MCPServer(
        "whenabouts",
        version=version("whenabouts"),
        instructions=desk.grounder.prompts.render("mcp_server"),
        log_level="ERROR",
    )
    for add in (add_index_tools, add_asking_tools, add_picture_tools):
        add(server, desk)
    return server


def make_http_app(desk: Desk, *, address: str = "127.0.0.1", token: str = "") -> ASGIApp:
    """The server over streamable HTTP, behind the same guard as the page.

    Args:
        desk: What it serves.
        address: What it listens on; see ``Guard``.
        token: What has to be shown; empty: nothing.
    """
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.middleware.body_limit import RequestBodyLimitMiddleware

    from agent.web.guarding import Guard

    # The guard checks Host and Origin for every route, and knows more names of this machine.
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = make_server(desk).streamable_http_app(
        streamable_http_path=HTTP_PATH, transport_security=unchecked
    )
    limited = RequestBodyLimitMiddleware(app, max_body_size=MOST_BODY_BYTES)
    return Guard(limited, address=address, token=token)


def speak(
    grounder: Grounder,
    folders: Sequence[Path],
    *,
    http_port: int | None,
    address: str,
    say: Callable[[str], None],
) -> None:
    """Answer until the client leaves, or until interrupted.

    Args:
        grounder: Describes and answers.
        folders: Videos in and below them can be asked.
        http_port: Port of streamable HTTP; 0: one that is free; None: standard input and output.
        address: What to listen on.
        say: Receives lines for the person at the terminal; never on standard output.

    Raises:
        SettingsError: If the extra is missing, a folder is none, or the address is refused.
    """
    try:
        from agent.mcp.desk import Desk
    except ImportError as exc:
        raise SettingsError(
            f"the MCP server needs the package {exc.name}: pip install 'whenabouts[mcp]'"
        ) from None
    desk = Desk(grounder, folders, complain=say)
    if http_port is None:
        _speak_stdio(desk)
    else:
        _speak_http(desk, address, http_port, say)


def _speak_stdio(desk: Desk) -> None:
    desk.open()
    try:
        make_server(desk).run("stdio")
    finally:
        desk.close()


def _speak_http(desk: Desk, address: str, port: int, say: Callable[[str], None]) -> None:
    import uvicorn

    from agent.web.serving import CLOSING_S, check_address, listen, url_of

    token = check_address(address, desk.grounder.settings)
    listening = listen(address, port)
    say(f"whenabouts speaks MCP at {url_of(address, listening)}mcp (Ctrl-C stops it)")
    config = uvicorn.Config(
        make_http_app(desk, address=address, token=token),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=CLOSING_S,
    )
    desk.open()
    try:
        with listening:
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        desk.close()
