"""Everything that can be configured, read once from the environment and a settings file.

No other module looks at the environment. ``WHENABOUTS_HOME`` moves everything we write. The file is
``.env`` in that folder, or another one that is named. One in the working folder is not read unless
it is named, since anybody may have put it there.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import (
    AfterValidator,
    AliasChoices,
    AnyHttpUrl,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import SettingsError
from agent.setting_checks import (
    language_of_locale,
    must_be_address,
    must_be_language,
    must_be_look,
    must_have_owner,
    must_hold_prompts,
    must_name_video_model,
)
from agent.settings_file import keep_keys_from, read_settings_file
from tools.known_secrets import KNOWN, keep_variables
from tools.text import shown_address, without_passwords
from tools.user_paths import expand_user

SETTINGS_FILE = ".env"


def _langsmith(name: str) -> AliasChoices:
    """The variables that LangSmith's own SDK reads, the newer names first."""
    older = {"TRACING": ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING")}
    return AliasChoices(
        f"LANGSMITH_{name}", *older.get(name, (f"LANGCHAIN_{name}",)), f"langsmith_{name.lower()}"
    )


class Home(BaseSettings):
    """The folder that we write to, and the settings file that is read."""

    model_config = SettingsConfigDict(
        env_prefix="WHENABOUTS_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    home: Annotated[Path, AfterValidator(must_have_owner)] = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("whenabouts", appauthor=False))
    )

    @property
    def settings_file(self) -> Path:
        """The settings file that is read unless another one is named."""
        return self.home / SETTINGS_FILE


class Settings(Home):
    """One frozen set of choices, handed downwards.

    Attributes:
        home: Folder of the caption store and the caches; from ``WHENABOUTS_HOME``.
        store: Folder of the embedded caption store; by default inside ``home``.
        chroma_url: A running Chroma server to use in place of the embedded store.
        chroma_token: Identifies this user to that server; sent with every request.
        captioner: Who describes frames: ``classical``, ``openai:MODEL`` (any service that speaks
            OpenAI's API), ``local:MODEL``, a folder or a name on the hub, or ``none``: nobody,
            for models that see the frames themselves. ``auto`` is the service where one is
            configured, else a model on this disk, else ``classical``.
        strategy: How an image model is asked: ``general``, once for all questions, or
            ``activity``, which shows it the question and is repeated for each question;
            ``sight-first`` is ``general`` for frames that show something new to the joint model.
        mode: What an image model is shown at a time: ``frame``, ``grid4`` or ``clip4``.
        in_flight: Most requests to a service at a time.
        detail: How closely a service's model looks: ``auto``, ``low`` or ``high``.
        max_image_kb: Largest picture that is sent, in 1,000 bytes.
        adapter: Folder of a LoRA adapter for a ``local:`` model.
        device: Where a ``local:`` model runs: ``auto``, ``cpu``, ``cuda``, ``mps``, ``cuda:1``.
        dtype: Numbers of a ``local:`` model: ``auto``, ``float32``, ``bfloat16``, ``float16``.
        prompts: Folder of prompts that replace those of the same name in the package.
        prices: File of prices, which override the built-in ones; see ``tools.llm.prices``.
        reasoner: Who decides from captions: ``similarity``, or a text model by the name that
            LangChain has for it, ``openai:MODEL`` for example. ``auto`` is the service where one is
            configured, else ``similarity``.
        subtitles: File of subtitles to read what is said from; ``auto`` reads those that lie beside
            a video or inside it when it is indexed, ``off`` none.
        language: The user's language, in two letters: of several subtitles, those in it are read;
            by default that of the locale (``LC_ALL``, ``LC_MESSAGES``, ``LANG``), else English.
        speech: Whisper model that hears what is said: a folder, or a name that is on this disk.
        sight: Joint image-text model that frames themselves are searched by: ``siglip2-base``,
            ``clip-vit-b32``, a folder, or a name on the hub. ``auto`` is one that is on this disk,
            where no image model describes frames; ``off`` none.
        screen: Whether text on the screen is read, in addition to an image model's captions.
        embedder: Who embeds text: ``minilm`` (its published weights where they are installed, else
            ``minilm-int8``), ``minilm-int8``, ``minilm:FOLDER``, ``openai:MODEL``, or a
            sentence-transformers name.
        embed_batch: Texts that a service is sent to embed at once; fewer where it takes fewer.
        rate_hz: Frames looked at per second of video.
        every_frame: Whether an image model also describes frames that look like the one before.
        refine: Whether the edges of an answer are looked at again, more closely; unset: if an
            image model describes frames.
        verify: Whether an image model judges the likeliest windows; unset: if a service's model
            describes frames, and the limits allow it.
        direct: The video model that is shown frames and asked when it happens, ``openai:MODEL``;
            ``auto``: the service's model, if it is known to take videos and nobody else was named
            to decide; ``off``: none.
        every_path: Whether captions are read too where a video model has answered, so that the two
            can be compared.
        read_text: Whether the classical describer reads on-screen text; unset: if OCR is
            installed.
        max_captions: Most frames, grids or clips described in one run, closer looks included. At
            the limit, the question is answered from what is there; the next run continues.
        max_usd: US dollars that one run may spend on image and text models.
        max_minutes: Minutes that one run, or one turn of a chat, may take; requests that are under
            way then are given up, and the answer is made from what is there.
        strict: Whether a question ends in an error, and not in the LLM-free answer, when a text
            model's service fails and retries do not help.
        max_attempts: Answers a reasoner is asked for before the LLM-free answer is returned.
        max_look_ups: How often a text model may look up more captions before it answers.
        evidence_tokens: Most tokens of captions, and of summaries of scenes beside them, shown to a
            text model at once.
        context: What is shown where not all captions fit: those ``retrieved`` for the query, some
            of ``all`` at even distances, or summaries of the ``scenes`` of a long video.
        openai_api_key: Key of an OpenAI-compatible service; from ``OPENAI_API_KEY``.
        openai_base_url: Address of that service; from ``OPENAI_BASE_URL``.
        token: What `whenabouts serve` asks for; it needs one on every address but the loopback.
        trace: File of JSON lines that every run adds its spans to.
        trace_text: Whether captions, questions and replies are in traces.
        langsmith_tracing: Whether LangSmith receives traces; this and the next four are read from
            ``LANGSMITH_…`` (or ``LANGCHAIN_…``), as LangSmith's own SDK reads them.
        langsmith_api_key: Key of LangSmith.
        langsmith_endpoint: Address of its API.
        langsmith_project: Project that traces go to.
        langsmith_workspace_id: Workspace, for a key that is valid for several.
        otel_endpoint: Address of an OpenTelemetry collector that receives traces; this and the next
            three are read from the standard's own variables, ``OTEL_…``.
        otel_traces_endpoint: Address for traces alone, to which no path is added.
        otel_traces_exporter: ``none`` sends no traces.
        otel_sdk_disabled: Whether OpenTelemetry is off.
    """

    store: Path | None = None
    chroma_url: AnyHttpUrl | None = None
    chroma_token: SecretStr | None = None
    captioner: str = "auto"
    strategy: Literal["general", "activity", "sight-first"] = "general"
    mode: Annotated[str, AfterValidator(must_be_look)] = "frame"
    in_flight: int = Field(default=16, ge=1, le=256)
    detail: Literal["auto", "low", "high"] = "auto"
    max_image_kb: int = Field(default=500, ge=5, le=20_000)
    adapter: Path | None = None
    device: str = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    prompts: Annotated[Path, AfterValidator(must_hold_prompts)] | None = None
    prices: Path | None = None
    reasoner: str = "auto"
    subtitles: str = "auto"
    language: Annotated[str, AfterValidator(must_be_language)] = Field(
        default_factory=lambda: language_of_locale(os.environ)
    )
    speech: str = ""
    sight: str = "auto"
    screen: bool = False
    embedder: str = "minilm"
    embed_batch: int = Field(default=256, ge=1, le=2048)
    rate_hz: float = Field(default=1.0, gt=0, le=60, allow_inf_nan=False)
    every_frame: bool = False
    refine: bool | None = None
    verify: bool | None = None
    direct: Annotated[str, AfterValidator(must_name_video_model)] = "auto"
    every_path: bool = False
    read_text: bool | None = None
    max_captions: int | None = Field(default=None, ge=1)
    max_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_minutes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    strict: bool = False
    max_attempts: int = Field(default=3, ge=1, le=10)
    max_look_ups: int = Field(default=3, ge=0, le=10)
    evidence_tokens: int = Field(default=8000, ge=500, le=1_000_000)
    context: Literal["retrieved", "all", "scenes"] = "retrieved"
    openai_api_key: SecretStr | None = Field(default=None, alias="OPENAI_API_KEY")
    openai_base_url: Annotated[str, AfterValidator(must_be_address)] | None = Field(
        default=None, alias="OPENAI_BASE_URL"
    )
    token: SecretStr | None = None
    trace: Path | None = None
    trace_text: bool = True
    langsmith_tracing: bool = Field(default=False, validation_alias=_langsmith("TRACING"))
    langsmith_api_key: SecretStr | None = Field(
        default=None, validation_alias=_langsmith("API_KEY")
    )
    langsmith_endpoint: str | None = Field(default=None, validation_alias=_langsmith("ENDPOINT"))
    langsmith_project: str | None = Field(default=None, validation_alias=_langsmith("PROJECT"))
    langsmith_workspace_id: str | None = Field(
        default=None, validation_alias=_langsmith("WORKSPACE_ID")
    )
    otel_endpoint: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    otel_traces_endpoint: str | None = Field(
        default=None, alias="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    )
    otel_traces_exporter: str = Field(default="otlp", alias="OTEL_TRACES_EXPORTER")
    otel_sdk_disabled: bool = Field(default=False, alias="OTEL_SDK_DISABLED")

    def model_post_init(self, _: Any, /) -> None:
        """Keep what is secret in them from being shown, however they were set."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                KNOWN.keep(value.get_secret_value())
            elif value and _is_address(name):
                KNOWN.keep_address(str(value))

    @property
    def store_folder(self) -> Path:
        """Folder of the embedded caption store."""
        return self.store or self.home / "store"

    @property
    def benchmark_store(self) -> Path:
        """Folder of the store of ``whenabouts eval``, so that videos that it asks stay apart."""
        return self.home / "benchmarks"

    @property
    def threads_file(self) -> Path:
        """File that holds the steps of threads."""
        return self.home / "threads.sqlite"

    @property
    def chats_file(self) -> Path:
        """File that holds the turns of chats."""
        return self.home / "chats.sqlite"

    @property
    def journal_folder(self) -> Path:
        """Folder of replies that were paid for and are not in the store yet."""
        return self.home / "journals"

    @property
    def page_folder(self) -> Path:
        """What ``serve`` keeps: answers, corrections, uploads and jobs."""
        return self.home / "serve"

    @property
    def corrections_file(self) -> Path:
        """What people corrected on the page, as rows that ``eval own`` reads."""
        return self.page_folder / "corrections.jsonl"

    @property
    def pictures_folder(self) -> Path:
        """Pictures and clips that were looked at on the page; they can be made again."""
        return self.cache_folder / "pictures"

    @property
    def cache_folder(self) -> Path:
        """Folder of files that can be made again: the embedder's graph, for example."""
        return self.home / "cache"


def load_settings(env_file: str | Path | None = None, /, **overrides: Any) -> Settings:
    """Read the environment and the settings file; the environment wins over the file.

    Args:
        env_file: Lines of ``NAME=value``; by default ``.env`` in the home folder, where there is
            one.
        overrides: Fields of ``Settings``, which win where they are not None.

    Raises:
        SettingsError: If a value or the file cannot be used, or a key of the environment would go
            to an address of the file; the message names the variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    keep_variables(os.environ)
    try:
        home = Home(home=given["home"]) if "home" in given else Home()
        file = expand_user(env_file) if env_file else home.settings_file
        in_file = read_settings_file(file) if env_file or file.exists() else {}
        alone = Settings(**given)
        settings = Settings(_env_file=file, **given) if in_file else alone
    except ValidationError as exc:
        raise SettingsError("; ".join(_complaint(error, given) for error in exc.errors())) from None
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename else ""
        raise SettingsError(
            f"the settings cannot be read: {where}{exc.strerror}; set WHENABOUTS_HOME to a folder "
            "of your own"
        ) from None
    environment = {name.lower(): value for name, value in os.environ.items()}
    keep_keys_from(file, in_file, settings, alone, environment)
    return settings


def _complaint(error: Any, given: dict[str, Any]) -> str:
    name = str(error["loc"][0])
    is_option = name in given
    shown = f"option {name}" if is_option else _variable(name)
    is_secret = re.search("key|token$", name.lower())
    value = "" if is_secret else f" is {_shown(name, error['input'])}:"
    said = error["msg"].removeprefix("Value error, ")
    return f"{shown}{value} {said[0].lower()}{said[1:]}"


def _shown(name: str, value: Any) -> str:
    is_address = isinstance(value, str) and _is_address(name)
    return repr(shown_address(value)) if is_address else without_passwords(repr(value))


def _is_address(name: str) -> bool:
    return name.lower().endswith(("url", "endpoint"))


def _variable(name: str) -> str:
    return name if name.isupper() else f"WHENABOUTS_{name.upper()}"
