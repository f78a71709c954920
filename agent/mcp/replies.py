"""What the tools return beside the published answer: each model is a tool's output schema."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.web.bodies import VideoCard
from agent.web.jobs import Job, State
from agent.web.link_jobs import LinkJob, LinkState


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ListedVideos(_Reply):
    """Every video that can be asked here, by name."""

    videos: list[VideoCard]


class IndexStatus(_Reply):
    """How far describing a video is.

    Attributes:
        handle: Names the job.
        video: Id of the video.
        name: Of the video.
        state: ``waiting`` for the one before it; ``running``; or how it ended. Of a link first:
            ``looking`` at what it leads to; ``offered``, with its size in ``message``;
            ``fetching``.
        message: What is offered; why it failed, and what to do; or what was left out.
        seen_s: Seconds of video looked at.
        total_s: Length of the video; None where not known yet.
        captions: Captions made by this run.
        left_s: Seconds of work left, by the latest speed; None where it cannot be told.
        usd: What it has cost; None where the price is not known.
    """

    handle: str
    video: str
    name: str
    state: State | LinkState
    message: str
    seen_s: float
    total_s: float | None
    captions: int
    left_s: float | None
    usd: float | None

    @classmethod
    def of(cls, job: Job, link: LinkJob | None = None) -> "IndexStatus":
        """That of a job; of one that a link began, under the handle of the link."""
        told = job.model_dump(include=cls.model_fields.keys() - {"handle"})
        return cls(handle=link.id if link else job.id, **told)

    @classmethod
    def of_link(cls, link: LinkJob) -> "IndexStatus":
        """That of a link whose video is not here yet."""
        size = "of a size that the site does not say"
        if link.size_bytes is not None:
            size = f"{link.size_bytes / 1e6:.1f} MB"
        said = {
            "offered": f"{link.offer}, {size}: to fetch it, ask the user, and call index_video "
            "again with fetch=true",
            "fetching": f"{link.held_bytes / 1e6:.1f} MB of {size} are here",
        }
        return cls(
            handle=link.id,
            video=link.video or "",
            name=link.link,
            state=link.state,
            message=said.get(link.state, link.message),
            seen_s=0.0,
            total_s=None,
            captions=0,
            left_s=None,
            usd=0.0,
        )


class PagedCaption(_Reply):
    """A caption and the span that it holds over, in seconds."""

    id: str
    start_s: float
    end_s: float
    text: str
    source: str


class CaptionPage(_Reply):
    """Captions of one stretch, in time order.

    Attributes:
        video: Id of the video.
        captions: As many as fit.
        next_s: Where to go on reading; None where these are all.
    """

    video: str
    captions: list[PagedCaption]
    next_s: float | None


class ShownPicture(_Reply):
    """One picture of the evidence, and the captions at its time."""

    place: Literal["before", "start", "middle", "end", "after"]
    time_s: float
    captions: list[str]


class ShownEvidence(_Reply):
    """What the pictures beside it show, in their order."""

    video: str
    pictures: list[ShownPicture]


class CutClip(_Reply):
    """A clip that was cut.

    Attributes:
        video: Id of the video.
        start_s: Where it begins in the video.
        end_s: Where it ends.
        uri: Reads it as a resource of this server.
        file: Where it lies on the server's machine until newer ones need the room.
        size_bytes: Its size.
    """

    video: str
    start_s: float
    end_s: float
    uri: str
    file: str
    size_bytes: int
