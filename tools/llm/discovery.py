"""Which models a server has."""

from __future__ import annotations

import json
from typing import Final

from tools.errors import ServiceError
from tools.llm.address import check_service
from tools.llm.client import clean
from tools.llm.connection import HttpConnection, TransportError
from tools.llm.failures import Sent, classify

DISCOVERY_TIMEOUT_S: Final = 5.0


def served_models(address: str, api_key: str | None) -> list[str]:
    """What a server lists under ``/models``, sorted.

    Raises:
        ServiceError: If the server is not there, or lists nothing that can be read.
    """
    address, key = check_service(api_key, address)
    try:
        answer = HttpConnection(address, key).get("/models", timeout_s=DISCOVERY_TIMEOUT_S)
    except TransportError as exc:
        raise ServiceError(
            "unreachable",
            f"OPENAI_BASE_URL: no answer from {address} ({clean(str(exc), key)}); check that the "
            "server is running",
        ) from None
    if answer.status >= 300:
        failure = classify(answer.status, answer.headers, answer.body, Sent())
        said = clean(failure.said, key)
        raise ServiceError(
            "refused",
            f"OPENAI_BASE_URL: {address} answers {answer.status} when asked for its models"
            f"{f' ({said})' if said else ''}; check the address and OPENAI_API_KEY",
        )
    try:
        return sorted({str(row["id"]) for row in json.loads(answer.body)["data"]})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ServiceError(
            "strange",
            f"OPENAI_BASE_URL: {address} does not list its models as OpenAI's API does; check "
            "the address",
        ) from None
