"""The file of settings: what it sets, and which keys it cannot lead away."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from agent.errors import SettingsError
from tools.known_secrets import keep_variables

MAX_SETTINGS_BYTES = 1 << 20
"""A settings file has a hundred lines at most, and larger ones take minutes to read."""

_OTEL_SECRETS = (
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)
"""Secrets, and what adds some, that OpenTelemetry's SDK reads by itself."""


def read_settings_file(file: Path) -> dict[str, str]:
    """What the file sets, by names in lower case.

    Raises:
        SettingsError: If it cannot be read, or is no file of settings.
    """
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
    keep_variables({name: value or "" for name, value in values.items()})
    for name, value in values.items():
        # If it were filled in, an address could carry a key from the environment away.
        if value and "${" in value:
            raise SettingsError(
                f"{name} in {file} holds ${{…}}, which is not filled in; write the value itself"
            )
    return {name.lower(): value for name, value in values.items() if value}


def keep_keys_from(
    file: Path,
    in_file: Mapping[str, str],
    settings: BaseSettings,
    alone: BaseSettings,
    environment: Mapping[str, str],
) -> None:
    """Refuse to send a key from the environment to an address that only a file names.

    What comes from where is told by values: a field has more names than its usual one.

    Args:
        file: The settings file.
        in_file: What it sets, by names in lower case.
        settings: What is used.
        alone: What would be used without the file.
        environment: What the environment sets, by names in lower case.

    Raises:
        SettingsError: If that would happen.
    """
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
                of_key = _set_in(environment, key_name, fields)
                raise SettingsError(
                    f"{_set_in(in_file, name, fields)} is set by {file}, and {of_key} by the "
                    "environment: a key is not sent to an address that a file names; set both in "
                    "the file, or both in the environment"
                )


def _set_in(values: Mapping[str, str], field: str, fields: Mapping[str, FieldInfo]) -> str:
    """The variable among these, by names in lower case, that sets a field; its usual one if none.

    A variable that no field is made of stands for itself.
    """
    names = _names(field, fields[field]) if field in fields else [field.lower()]
    return next((one for one in names if values.get(one)), names[0]).upper()


def _names(field: str, info: FieldInfo) -> list[str]:
    """The variables that set a field, in lower case."""
    alias = info.validation_alias
    own = f"whenabouts_{field}"
    if isinstance(alias, AliasChoices):
        return [*(str(one).lower() for one in alias.choices), own]
    return [str(alias).lower(), own] if alias else [own]
