"""What a grounder works with: the store, and who describes, embeds and decides; opened when needed.

The only place that builds real ones.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from agent.watching.choice import (
    Choice,
    Confirm,
    choose_captioner,
    choose_reasoner,
    means_model,
    open_captioner,
    open_reasoner,
)
from agent.watching.destinations import Destinations
from agent.watching.frames import frames_of
from agent.watching.runs import Runs
from agent.watching.sight import Sight
from prompts.catalog import PACKAGED, Prompts
from tools.embedders.embedder import Embedder, open_embedder
from tools.store.store import CaptionStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.reasoning.brief import Brief, Reasoner
    from agent.reasoning.reply import Reply
    from agent.settings import Settings
    from tools.captioners.protocol import Captioner

_T = TypeVar("_T")


class made_once(cached_property[_T]):  # noqa: N801  # it reads as the decorator that it extends
    """A cached property that racing threads make only once; since 3.12 the plain one does not.

    Its object has a reentrant lock, ``_making``.
    """

    @overload
    def __get__(self, of: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, of: object, owner: type[Any] | None = None) -> _T: ...

    def __get__(self, of: Any, owner: type[Any] | None = None) -> Any:
        if of is None:
            return self
        with of._making:  # noqa: SLF001  # the lock that such an object has
            return super().__get__(of, owner)


class Opened:
    """Opens what the settings name, each when it is first asked for, and once.

    Several threads may ask at the same time.

    Args:
        settings: Where things lie and who does what.
        prompts: What models are told.
        runs: Keep text models within the limits of a run.
        destinations: Name every host before anything goes to it.
        captioner: Used in place of the one that the settings name.
        reasoner: Used in place of the one that the settings name.
        tell: Receives, in a line, who decides where none was named, or what is waited for.
        confirm: Asked before a model is fetched.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        prompts: Prompts,
        runs: Runs,
        destinations: Destinations,
        captioner: Captioner | None,
        reasoner: Reasoner | None,
        tell: Callable[[str], None],
        confirm: Confirm | None,
    ) -> None:
        self._making = threading.RLock()
        self.given_captioner = captioner
        self._settings = settings
        self._prompts = prompts
        self._runs = runs
        self._destinations = destinations
        self._given_reasoner = reasoner
        self._tell = tell
        self._confirm = confirm
        self._reasoners: dict[str, Reasoner] = {}

    @made_once
    def store(self) -> CaptionStore:
        """The caption store: embedded, or the Chroma server that the settings name."""
        self._destinations.store()
        url, token = self._settings.chroma_url, self._settings.chroma_token
        return CaptionStore.open(
            self._settings.store_folder,
            embedder=self._settings.embedder,
            url=str(url) if url else None,
            token=token.get_secret_value() if token else None,
            until=self._runs.until,
            on_wait=self._tell,
        )

    @made_once
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        self._destinations.embedding(self._settings.embedder)
        key = self._settings.openai_api_key
        return open_embedder(
            self._settings.embedder,
            cache=self._settings.cache_folder,
            api_key=key.get_secret_value() if key else None,
            base_url=self._settings.openai_base_url,
            batch_texts=self._settings.embed_batch,
            until=self._runs.until,
        )

    @made_once
    def sight(self) -> Sight:
        """The joint model that looks at frames, where the settings mean one."""
        return Sight(
            self._settings,
            describes=lambda: self.given_captioner is not None or means_model(self._settings),
            confirm=self._confirm,
            tell=self._tell,
        )

    @made_once
    def choice(self) -> Choice:
        """Who describes frames, where no captioner was given."""
        if self._settings.captioner == "auto":
            self._destinations.listing()
        return choose_captioner(self._settings)

    @made_once
    def captioner(self) -> Captioner:
        """The captioner that the settings name, with the general prompt."""
        if self.given_captioner:
            return self.given_captioner
        return open_captioner(
            self._settings, self.choice.name, prompts=self._prompts, confirm=self._confirm
        )

    @made_once
    def reasoner(self) -> Reasoner:
        """The reasoner that the settings name."""
        if self._given_reasoner:
            return self._given_reasoner
        if self._settings.reasoner == "auto":
            self._destinations.listing()
        choice = choose_reasoner(self._settings)
        if choice.why:
            self._tell(choice.why)
        return self.open_reasoner(choice.name)

    def open_reasoner(self, name: str) -> Reasoner:
        """A reasoner by name; the same one for the same name.

        Raises:
            SettingsError: If it cannot be used here.
        """
        with self._making:
            if name not in self._reasoners:
                self._reasoners[name] = open_reasoner(
                    self._settings,
                    name,
                    prompts=self._prompts,
                    frames_of=partial(
                        frames_of,
                        records=lambda video_id: self.store.records(video_id),  # noqa: PLW0108  # late
                        max_bytes=1000 * self._settings.max_image_kb,
                    ),
                    budget=self._runs.budget,
                )
            reasoner = self._reasoners[name]
        # Opening one sends nothing, and only then is it known where another provider's asks.
        self._destinations.reasoning(name, address=getattr(reasoner, "address", ""))
        return reasoner

    def close(self) -> None:
        """Let go of the store; it is opened again where it is needed again."""
        with self._making:
            store: CaptionStore | None = self.__dict__.pop("store", None)
            sight: Sight | None = self.__dict__.pop("sight", None)
        if sight:
            sight.close()
        if store:
            store.close()


@contextmanager
def open_parts(
    settings: Settings, *, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Opened]:
    """What the settings name, for those who look at one part of it, without a grounder."""
    opened = Opened(
        settings,
        prompts=Prompts.read(settings.prompts) if settings.prompts else PACKAGED,
        runs=Runs(settings),
        destinations=Destinations(settings, tell),
        captioner=None,
        reasoner=None,
        tell=tell,
        confirm=None,
    )
    try:
        yield opened
    finally:
        opened.close()


class LateReasoner:
    """The reasoner of an ``Opened``, which is opened with the first thing that is asked of it.

    So the user is told first, and sooner, what is wrong with a video, then what with a model.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    @property
    def name(self) -> str:
        return self._opened.reasoner.name

    @property
    def by(self) -> Literal["llm", "similarity"]:
        return self._opened.reasoner.by

    @property
    def prompts(self) -> dict[str, str]:
        return self._opened.reasoner.prompts

    def reply(self, brief: Brief) -> Reply:
        """See ``Reasoner``."""
        return self._opened.reasoner.reply(brief)
