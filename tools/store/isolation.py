"""Chroma without the user's environment: it would read dozens of variables, and any ``.env``.

Its settings are read from ``CHROMA_…``, ``IS_PERSISTENT``, ``ALLOW_RESET`` and many more, also
while it is imported, where a variable of another program ends in a traceback.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.errors import StoreError

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.config import Settings
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

_importing = threading.Lock()
_pid = 0


def load_chroma() -> None:
    """Import Chroma, once, without letting it look at the environment."""
    if "chromadb" in sys.modules:
        return
    from pydantic_settings import BaseSettings, DotEnvSettingsSource

    with _importing:
        read_files: Any = DotEnvSettingsSource._read_env_files  # noqa: SLF001  # nothing public does

        def files(source: Any) -> Any:
            # The file is read before its source could be left out, whatever is in it.
            is_chroma = source.settings_cls.__module__.partition(".")[0] == "chromadb"
            return {} if is_chroma else read_files(source)

        usual = BaseSettings.__dict__["settings_customise_sources"]

        def sources(cls: Any, settings_cls: type[BaseSettings], **given: Any) -> Any:
            # Other threads may be reading settings of their own at this moment.
            if settings_cls.__module__.partition(".")[0] == "chromadb":
                return (given["init_settings"],)
            return usual.__func__(cls, settings_cls, **given)

        changed: Any = BaseSettings
        changed_source: Any = DotEnvSettingsSource
        changed.settings_customise_sources = classmethod(cast("Any", sources))
        changed_source._read_env_files = files  # noqa: SLF001
        try:
            import chromadb  # noqa: F401
        finally:
            changed.settings_customise_sources = usual
            changed_source._read_env_files = read_files  # noqa: SLF001


def open_client(folder: Path) -> Client:
    """A client of the embedded store in a folder, which nobody else may have open."""
    load_chroma()
    import chromadb

    _renew_after_fork()
    return cast("Client", chromadb.PersistentClient(path=folder, settings=chroma_settings()))


def _renew_after_fork() -> None:
    """Load Chroma's Rust part a second time where a fork left its threads to the parent.

    Its threads are made once a process, and whatever waits for them in a child waits forever. A
    second copy of the library has its own, and the system loads one only from another file.

    Raises:
        OSError: If it cannot be loaded again.
        StoreError: Where the system has no means for it.
    """
    global _pid  # noqa: PLW0603  # of the process that loaded it last
    if _pid in {0, os.getpid()}:
        _pid = os.getpid()
        return
    if not hasattr(os, "memfd_create"):
        raise StoreError(
            "the caption store was used before this process was forked, and can be opened in the "
            "child only on Linux; start processes by spawn, or open it first in the child"
        )
    import importlib.util
    from importlib.machinery import ExtensionFileLoader

    import chromadb.api.rust

    name = "chromadb_rust_bindings"
    library = Path(sys.modules[f"{name}.{name}"].__file__ or "")
    with library.open("rb") as whole, os.fdopen(os.memfd_create(name), "wb") as copy:
        shutil.copyfileobj(whole, copy, 1 << 20)
        copy.flush()
        path = f"/proc/self/fd/{copy.fileno()}"
        loader = ExtensionFileLoader(name, path)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    rust: Any = chromadb.api.rust
    rust.chromadb_rust_bindings = module
    _pid = os.getpid()


def chroma_settings() -> Settings:
    """Chroma's own defaults, without telemetry: new ones, since a client changes its own."""
    load_chroma()
    return _own_settings()(anonymized_telemetry=False)


@cache
def _own_settings() -> type[Settings]:
    from chromadb.config import Settings
    from pydantic_settings import SettingsConfigDict

    class OwnSettings(Settings):
        """Takes only what it is given."""

        model_config = SettingsConfigDict(env_file=None)

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

    return OwnSettings
