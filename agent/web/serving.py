"""``whenabouts serve``: the socket, the rules for where it may be, and the server on it."""

from __future__ import annotations

import socket
import webbrowser
from typing import TYPE_CHECKING

from agent.errors import SettingsError
from agent.web.guarding import is_address, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.api import Grounder, Settings

MOST_PORT = 65_535
CLOSING_S = 3
"""Streams that are still open are ended after that."""


def serve(
    grounder: Grounder,
    folders: Sequence[Path],
    *,
    address: str,
    port: int,
    most_bytes: int,
    say: Callable[[str], None],
    opens_browser: bool = False,
) -> None:
    """Serve until interrupted.

    Args:
        grounder: Describes and answers.
        folders: Served folders.
        address: What to listen on.
        port: Which port; 0: one that is free.
        most_bytes: Largest upload.
        say: Receives lines for the person at the terminal.
        opens_browser: Whether to open the page.

    Raises:
        SettingsError: If the extra is missing, a folder is none, the address cannot be listened on,
            or it can be reached from other machines and there is no token.
    """
    try:
        import uvicorn

        from agent.web.app import make_app
        from agent.web.rooms import Rooms
    except ImportError as exc:
        raise SettingsError(
            f"the page needs the package {exc.name}: pip install 'whenabouts[web]'"
        ) from None
    token = check_address(address, grounder.settings)
    rooms = Rooms(grounder, folders, most_bytes=most_bytes, complain=say)
    listening = listen(address, port)
    app = make_app(rooms, address=address, token=token, complain=say)
    url = url_of(address, listening)
    say(f"whenabouts is at {url} (Ctrl-C stops it; jobs go on with the next start)")
    if token:
        say("it asks for the token once: open the address with ?token=… and your WHENABOUTS_TOKEN")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=CLOSING_S
    )
    if opens_browser:
        webbrowser.open(url)
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def check_address(address: str, settings: Settings) -> str:
    """The token that has to be shown there; empty: none.

    Raises:
        SettingsError: If it is no address, or other machines can reach it and there is no token.
    """
    if address != "localhost" and not is_address(address):
        raise SettingsError(f"--address {address} is no IP address; give one of this machine's")
    token = settings.token.get_secret_value() if settings.token else ""
    if not token and not is_loopback(address):
        raise SettingsError(
            f"{address} can be reached from other machines, and no token is set; set "
            "WHENABOUTS_TOKEN to a long secret, or leave --address out"
        )
    return token


def url_of(address: str, listening: socket.socket) -> str:
    """What to open, with a slash at its end."""
    shown = f"[{address}]" if ":" in address else address
    return f"http://{shown}:{listening.getsockname()[1]}/"


def listen(address: str, port: int) -> socket.socket:
    """A socket there.

    Raises:
        SettingsError: If that cannot be had.
    """
    if not 0 <= port <= MOST_PORT:
        raise SettingsError(f"there is no port {port}; choose a --port from 0 to {MOST_PORT}")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as exc:
        raise SettingsError(
            f"{address} port {port} cannot be listened on ({exc.strerror}); choose another --port, "
            "or 0 for one that is free"
        ) from None
