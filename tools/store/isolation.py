"""Chroma without the user's environment: it would read dozens of variables, and any ``.env``.

Its settings are read from ``CHROMA_…``, ``IS_PERSISTENT``, ``ALLOW_RESET`` and many more, also
while it is imported, where a variable of another program ends in a traceback.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pathlib import Path

    from chromadb.api.client import Client
    from chromadb.config import Settings
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

_importing = threading.Lock()


def load_chroma() -> None:
    """Import Chroma, once, without letting it look at the environment."""
    if "chromadb" in sys.modules:
        return
    from pydantic_settings import BaseSettings

    with _importing:
        usual = BaseSettings.__dict__["settings_customise_sources"]

        def sources(cls: Any, settings_cls: type[BaseSettings], **given: Any) -> Any:
            # Other threads may be reading settings of their own at this moment.
            if settings_cls.__module__.partition(".")[0] == "chromadb":
                return (given["init_settings"],)
            return usual.__func__(cls, settings_cls, **given)

        changed: Any = BaseSettings
        changed.settings_customise_sources = classmethod(cast("Any", sources))
        try:
            import chromadb  # noqa: F401
        finally:
            changed.settings_customise_sources = usual


def open_client(folder: Path) -> Client:
    """A client of the embedded store in a folder, which nobody else may have open."""
    load_chroma()
    import chromadb

    return cast("Client", chromadb.PersistentClient(path=folder, settings=chroma_settings()))


def chroma_settings() -> Settings:
    """Chroma's own defaults, without telemetry."""
    load_chroma()
    from chromadb.config import Settings

    class OwnSettings(Settings):
        """Takes what is given, and nothing else."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic's signature
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings,)

    return OwnSettings(anonymized_telemetry=False)
