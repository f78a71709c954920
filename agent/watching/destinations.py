"""Says where frames, captions and traces go, before the first of them leaves this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tools.text import shown_address

if TYPE_CHECKING:
    from agent.settings import Settings

OPENAI_HOST: Final = "api.openai.com"

ON_THIS_MACHINE: Final = frozenset({"similarity", "classical", "none", "local", "minilm", "file"})
"""First parts of the names of models that send nothing anywhere."""


class Destinations:
    """Names each host once. Many threads may do so.

    Args:
        settings: Name the services.
        tell: Receives a line for each host.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._named = set[str]()

    def frames(self, captioner: str) -> None:
        """Before frames are described by this captioner."""
        self._name("frames go to", self._host_of_model(captioner))

    def reasoning(self, reasoner: str, *, address: str = "") -> None:
        """Before anything is asked of this reasoner; one by frames is shown those.

        Args:
            reasoner: Its name.
            address: Where it asks; of another provider than OpenAI only its client knows it.
        """
        model = reasoner.removeprefix("frames:")
        what = "captions" if model == reasoner else "frames"
        host = host_of(address) if address else self._host_of_model(model)
        self._name(f"the question and {what} go to", host)

    def listing(self) -> None:
        """Before the service that is configured is asked which models it serves."""
        if self._settings.openai_base_url:
            self._name("the list of models is asked of", host_of(self._settings.openai_base_url))

    def embedding(self, embedder: str) -> None:
        """Before texts are embedded by this embedder."""
        if embedder.startswith("openai:"):
            self._name("captions and questions are embedded by", self._host_of_model(embedder))

    def store(self) -> None:
        """Before a store on a server is opened."""
        if self._settings.chroma_url:
            self._name("captions are kept by", host_of(str(self._settings.chroma_url)))

    def traces(self, *addresses: str) -> None:
        """Before traces are sent to these addresses."""
        for address in addresses:
            self._name("traces go to", host_of(address))

    def _host_of_model(self, name: str) -> str:
        """Of a service; the provider's name where nobody knows its host."""
        provider, _, model = name.partition(":")
        if not model or provider in ON_THIS_MACHINE:
            return ""
        if provider == "openai":
            address = self._settings.openai_base_url
            return host_of(address) if address else OPENAI_HOST
        return provider

    def _name(self, what: str, host: str) -> None:
        line = f"{what} {host}"
        if host and line not in self._named:
            self._named.add(line)
            self._tell(line)


def host_of(address: str) -> str:
    """The host of an address, with its port where it names one, and without any password."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return shown_address(address)
    return f"{parts.hostname}{port}" if parts.hostname else shown_address(address)
