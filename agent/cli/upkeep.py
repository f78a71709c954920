"""``whenabouts repair``: rescuing stored captions."""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import SettingsError
from agent.settings import Settings
from agent.watching.destinations import Destinations
from tools.embedders.embedder import Embedder, open_embedder
from tools.store.repair import repair_store
from tools.text import counted
from tools.waiting import Doing

Say = Callable[[str], None]


def repair(settings: Settings, *, show: Say, say: Say, doing: Doing) -> None:
    """Make a damaged store sound again.

    Raises:
        SettingsError: If captions are kept by a server.
        StoreError: If nothing can be saved.
    """
    if settings.chroma_url:
        raise SettingsError(
            "captions are kept by the Chroma server of WHENABOUTS_CHROMA_URL; repair it there, or "
            "unset that to repair the store on this machine"
        )
    key = settings.openai_api_key
    told = 0

    def embedder(name: str) -> Embedder:
        Destinations(settings, say).embedding(name)
        return open_embedder(
            name,
            cache=settings.cache_folder,
            api_key=key.get_secret_value() if key else None,
            base_url=settings.openai_base_url,
        )

    def report(done: int, total: int) -> None:
        nonlocal told
        if done == total or done - told >= 2000:
            told = done
            say(f"{done:,} of {total:,} captions embedded again")

    with doing(f"looking at the caption store in {settings.store_folder}"):
        repaired = repair_store(
            settings.store_folder, open_embedder=embedder, on_wait=say, report=report
        )
    if repaired.moved_to is None:
        show(f"the caption store in {settings.store_folder} is sound; nothing was changed")
        return
    for line in repaired.left_out:
        say(f"left out: {line}")
    show(
        f"the caption store in {settings.store_folder} is sound again: "
        f"{counted(repaired.captions, 'caption')} of {counted(repaired.videos, 'video')}; the "
        "damaged files were moved to "
        f"{repaired.moved_to}; delete that folder once you see that nothing is missing"
    )
