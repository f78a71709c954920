"""Which image models look at frames for an answer: one judges windows, one is asked directly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import CaptionerError, SettingsError, VideoError
from agent.watching.choice import has_service, open_image_model
from agent.watching.model_judge import ModelJudge
from agent.watching.service_direct import ServiceDirect
from agent.watching.watcher import UnderWay
from tools.indexing.same_video import shows

if TYPE_CHECKING:
    from agent.reasoning.direct import Direct
    from agent.reasoning.judge import Judge
    from agent.settings import Settings
    from agent.watching.opened import Opened
    from agent.watching.runs import Runs
    from prompts.catalog import Prompts
    from tools.captioners.image_model import AskedModel
    from tools.store.store import VideoRecord

OPENAI: Final = "openai:"
LOCAL: Final = "local:"


class ImagePaths:
    """Opens the models that judge and that are asked directly, when they are first needed.

    Args:
        settings: Who looks, and how.
        opened: The store, and who describes and embeds.
        prompts: What models are told.
        runs: Keep what is done within the limits of a run.
        describing: Held while a video is read: one at a time.
        under_way: The work that this is done for.
        tell: Receives a line where a video model is asked although nobody named it.
        name_host: Called with a model's name before it is shown frames.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        prompts: Prompts,
        runs: Runs,
        describing: AbstractContextManager[object],
        under_way: Callable[[], UnderWay],
        tell: Callable[[str], None],
        name_host: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.opened = opened
        self.prompts = prompts
        self.runs = runs
        self.describing = describing
        self.under_way = under_way
        self.tell = tell
        self.name_host = name_host
        self._models: dict[str, AskedModel] = {}

    @property
    def judge(self) -> Judge | None:
        """Who judges windows; None where nobody should. No model is asked here.

        Raises:
            SettingsError: If somebody should, and no image model is named.
        """
        wanted = self.settings.verify
        if wanted is False:
            return None
        if self.names_service() or (wanted and self._describes_here()):
            return ModelJudge(self)
        if wanted:
            raise SettingsError(
                "--verify needs an image model: name it with --captioner local:MODEL, or with "
                "--captioner openai:MODEL, and set OPENAI_API_KEY or OPENAI_BASE_URL"
            )
        return None

    @property
    def direct(self) -> Direct | None:
        """Who is asked directly; None where nobody can be. No model is asked here."""
        named = self.settings.direct
        if named == "off" or (named == "auto" and not self._may_choose()):
            return None
        return ServiceDirect(self)

    def names_service(self) -> bool:
        """Whether frames are described by a model of a service."""
        if self.opened.given_captioner:
            return False
        captioner = self.settings.captioner
        return captioner.startswith(OPENAI) or (captioner == "auto" and has_service(self.settings))

    def _may_choose(self) -> bool:
        """Whether the user left open who decides, and frames go to a service anyway."""
        return self.settings.reasoner == "auto" and self.names_service()

    def _describes_here(self) -> bool:
        """Whether frames are described by a checkpoint on this machine."""
        return not self.opened.given_captioner and self.opened.choice.name.startswith(LOCAL)

    def captioner_model(self) -> str:
        """The name of the model that describes frames.

        Raises:
            SettingsError: If the service cannot say which model it serves.
        """
        return self.opened.choice.name

    def model(self, name: str) -> AskedModel:
        """A model by its name; the same one for the same name.

        Raises:
            CaptionerError: If its key or address is missing or unusable, or it cannot be asked.
        """
        if name not in self._models:
            self._models[name] = (
                self._local_model()
                if name.startswith(LOCAL)
                else open_image_model(self.settings, name)
            )
        return self._models[name]

    def _local_model(self) -> AskedModel:
        from tools.captioners.local import LocalCaptioner
        from tools.captioners.local_image_model import LocalImageModel

        captioner = self.opened.captioner
        if not isinstance(captioner, LocalCaptioner):
            raise CaptionerError(f"{captioner.model} cannot be asked about frames")
        return LocalImageModel(captioner)

    @property
    def max_bytes(self) -> int:
        """Largest picture."""
        return 1000 * self.settings.max_image_kb

    def check_file(self, record: VideoRecord) -> Path:
        """Where the video lies.

        Raises:
            VideoError: If the file is gone, or is another video now.
        """
        path = Path(record.path)
        if not shows(record, path):
            raise VideoError(f"the file {record.path} now holds another video; index it")
        return path
