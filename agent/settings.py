"""Everything that can be configured, read once from the environment and a settings file.

No other module looks at the environment. ``WHENABOUTS_HOME`` moves everything we write. The file is
``.env`` in that folder, or another one that is named. One in the working folder is not read unless
it is named, since anybody may have put it there.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

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
from prompts.catalog import Prompts
from tools.text import shown_address, without_passwords
from tools.user_paths import expand_user

SETTINGS_FILE = ".env"

MAX_SETTINGS_BYTES = 1 << 20
"""A settings file has a hundred lines at most, and larger ones take minutes to read."""

_OTEL_SECRETS = (
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)
"""Secrets, and what adds some, that OpenTelemetry's SDK reads by itself."""


def _langsmith(name: str) -> AliasChoices:
    """The variables that LangSmith's own SDK reads, the newer names first."""
    older = {"TRACING": ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING")}
    return AliasChoices(
        f"LANGSMITH_{name}", *older.get(name, (f"LANGCHAIN_{name}",)), f"langsmith_{name.lower()}"
    )


def _must_be_look(name: str) -> str:
    from tools.captioners.looks import LookMode

    return str(LookMode.parse(name))


def _must_name_video_model(name: str) -> str:
    if name not in {"auto", "off"} and not re.fullmatch(r"openai:\S+", name):
        raise ValueError("it must be auto, off, or openai:MODEL")
    return name


def _must_be_address(address: str) -> str:
    # Such as the carriage return of a file that was written on Windows: no client takes it.
    if not address.isprintable() or " " in address:
        raise ValueError("it holds a blank or a control character, often at its end; remove that")
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # A port that is not a number, or half of an IPv6 address.
        is_one = False
    if not is_one:
        raise ValueError("it must be like http://localhost:8000/v1")
    return address


def _must_be_language(name: str) -> str:
    if not re.fullmatch(r"[a-z]{2}", name):
        raise ValueError("it must be two small letters, such as en or de")
    return name


def keys_in_environment() -> tuple[str, ...]:
    """What variables hold that are named as keys are: other providers' clients read their own."""
    names_a_key = re.compile(r"(?:key|token|secret|password)(?:_id)?$", re.IGNORECASE)
    return tuple(value for name, value in os.environ.items() if names_a_key.search(name))


def _language_of_locale(environment: Mapping[str, str]) -> str:
    """The language of the first variable that is set, as C libraries do; English for none or C."""
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next(filter(None, map(environment.get, variables)), "")
    found = re.match(r"([a-z]{2})(?=[_.@]|$)", locale)
    return found[1] if found else "en"


def _must_have_owner(folder: Path) -> Path:
    whole = expand_user(folder)
    if str(whole).startswith("~"):
        raise ValueError(f"there is no user of that name, or {whole.parts[0]} has no home")
    return whole.absolute()


def _must_hold_prompts(folder: Path) -> Path:
    Prompts.read(folder)
    return folder


class Home(BaseSettings):
    """The folder that we write to, and the settings file that is read."""

    model_config = SettingsConfigDict(
        env_prefix="WHENABOUTS_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    home: Annotated[Path, AfterValidator(_must_have_owner)] = Field(
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
        evidence_tokens: Most tokens of captions shown to a text model at once.
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
    mode: Annotated[str, AfterValidator(_must_be_look)] = "frame"
    in_flight: int = Field(default=16, ge=1, le=256)
    detail: Literal["auto", "low", "high"] = "auto"
    max_image_kb: int = Field(default=500, ge=5, le=20_000)
    adapter: Path | None = None
    device: str = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    prompts: Annotated[Path, AfterValidator(_must_hold_prompts)] | None = None
    prices: Path | None = None
    reasoner: str = "auto"
    subtitles: str = "auto"
    language: Annotated[str, AfterValidator(_must_be_language)] = Field(
        default_factory=lambda: _language_of_locale(os.environ)
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
    direct: Annotated[str, AfterValidator(_must_name_video_model)] = "auto"
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
    openai_base_url: Annotated[str, AfterValidator(_must_be_address)] | None = Field(
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
    try:
        home = Home(home=given["home"]) if "home" in given else Home()
        file = expand_user(env_file) if env_file else home.settings_file
        in_file = _read_file(file) if env_file or file.exists() else {}
        alone = Settings(**given)
        settings = Settings(_env_file=file, **given) if in_file else alone
    except ValidationError as exc:
        raise SettingsError("; ".join(_complaint(error, given) for error in exc.errors())) from None
    except OSError as exc:
        raise SettingsError(f"the settings cannot be read: {exc}") from None
    _keep_keys_from(file, in_file, settings, alone)
    return settings


def _read_file(file: Path) -> dict[str, str]:
    """What the file sets, by names in lower case."""
    from dotenv import dotenv_values

    advice = "give --env a file with lines of NAME=value"
    try:
        if not file.is_file():
            what = "is not a plain file" if file.exists() else "does not exist"
            raise SettingsError(f"the settings file {file} {what}; {advice}")
        if (size := file.stat().st_size) > MAX_SETTINGS_BYTES:
            raise SettingsError(
                f"the settings file {file} has {size:,} bytes, and at most "
                f"{MAX_SETTINGS_BYTES:,} are read; {advice}"
            )
        values = dotenv_values(file, interpolate=False, encoding="utf-8")
    except UnicodeDecodeError:
        raise SettingsError(f"the settings file {file} is not UTF-8 text; {advice}") from None
    except OSError as exc:
        raise SettingsError(
            f"the settings file {file} cannot be read: {exc.strerror}; {advice}"
        ) from None
    for name, value in values.items():
        # If it were filled in, an address could carry a key from the environment away.
        if value and "${" in value:
            raise SettingsError(
                f"{name} in {file} holds ${{…}}, which is not filled in; write the value itself"
            )
    return {name.lower(): value for name, value in values.items() if value}


def _keep_keys_from(
    file: Path, in_file: Mapping[str, str], settings: Settings, alone: Settings
) -> None:
    """Refuse to send a key from the environment to an address that only a file names.

    What comes from where is told by values: a field has more names than its usual one.

    Args:
        file: The settings file.
        in_file: What it sets, by names in lower case.
        settings: What is used.
        alone: What would be used without the file.

    Raises:
        SettingsError: If that would happen.
    """
    environment = {name.lower(): value for name, value in os.environ.items()}
    fields = type(settings).model_fields
    for name in fields:
        service, _, what = name.partition("_")
        address = getattr(settings, name)
        if not what.endswith(("url", "endpoint")) or address == getattr(alone, name):
            continue
        keys = {
            field: value.get_secret_value()
            for field in fields
            if field.partition("_")[0] == service
            and isinstance(value := getattr(settings, field), SecretStr)
            and value == getattr(alone, field)
        }
        if service == "otel":
            keys = {one: environment.get(one.lower(), "") for one in _OTEL_SECRETS}
        for key_name, key in keys.items():
            if key and key not in in_file.values():
                raise SettingsError(
                    f"{_set_in(in_file, name)} is set by {file}, and "
                    f"{_set_in(environment, key_name)} by the environment: a key is not sent to an "
                    "address that a file names; set both in the file, or both in the environment"
                )


def _set_in(values: Mapping[str, str], field: str) -> str:
    """The variable among these, by names in lower case, that sets a field; its usual one if none.

    A variable that no field is made of stands for itself.
    """
    names = _names(field) if field in Settings.model_fields else [field.lower()]
    return next((one for one in names if values.get(one)), names[0]).upper()


def _names(field: str) -> list[str]:
    """The variables that set a field, in lower case."""
    alias = Settings.model_fields[field].validation_alias
    own = f"whenabouts_{field}"
    if isinstance(alias, AliasChoices):
        return [*(str(one).lower() for one in alias.choices), own]
    return [str(alias).lower(), own] if alias else [own]


def _complaint(error: Any, given: dict[str, Any]) -> str:
    name = str(error["loc"][0])
    is_option = name in given
    shown = f"option {name}" if is_option else _variable(name)
    is_secret = re.search("key|token$", name.lower())
    value = "" if is_secret else f" is {_shown(name, error['input'])}:"
    said = error["msg"].removeprefix("Value error, ")
    return f"{shown}{value} {said[0].lower()}{said[1:]}"


def _shown(name: str, value: Any) -> str:
    is_address = isinstance(value, str) and name.lower().endswith(("url", "endpoint"))
    return repr(shown_address(value)) if is_address else without_passwords(repr(value))


def _variable(name: str) -> str:
    return name if name.isupper() else f"WHENABOUTS_{name.upper()}"
