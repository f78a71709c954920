"""Everything that the API's own description allows is asked of it; nothing is its fault."""

import json
from typing import Any

import pytest
from hypothesis.internal.conjecture.utils import many
from starlette.testclient import TestClient

from agent.web.rooms import Rooms
from tests.agent.web.serving import API, describe, video_id

pytestmark = pytest.mark.slow
EXAMPLES = 12


@pytest.fixture(autouse=True)
def _spoken_to_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``hypothesis-jsonschema`` 0.23 draw from Hypothesis 6.170, whose ``many`` it misuses."""

    def more(elements: Any) -> bool:
        if not hasattr(elements, "drawn"):
            elements.drawn = iter(elements.__enter__())
        if next(elements.drawn, elements) is elements:
            elements.__exit__(None)
            return False
        return True

    if not hasattr(many, "more"):
        monkeypatch.setattr(many, "more", more, raising=False)


def send(client: TestClient, case: Any) -> Any:
    """Send what ``requests`` would; the test client is another library."""
    asked = case.as_transport_kwargs(base_url="http://127.0.0.1:8765")
    if "data" in asked:
        data = asked.pop("data")
        asked["content"] = data if isinstance(data, bytes | str) else json.dumps(data)
    asked = {name: value for name, value in asked.items() if name not in {"cookies", "files"}}
    return client.request(**asked)


def test_no_request_that_the_description_allows_is_the_servers_fault(
    client: TestClient, rooms: Rooms
) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    video = video_id(client)
    describe(client, video)
    kept = client.post(f"{API}/videos/{video}/ask", json={"query": "brightness 40"}).json()
    job = client.get(f"{API}/jobs").json()[0]["id"]
    known = {"video_id": video, "answer_id": kept["id"], "job_id": job}
    described = schemathesis.openapi.from_dict(client.get(f"{API}/openapi.json").json())
    asked: dict[str, set[int]] = {}

    def check(operation: Any) -> None:
        @seed(1)
        @settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), is_known=st.booleans())
        def ask(case: Any, is_known: bool) -> None:
            if is_known:
                # Most ids that are made up lead nowhere.
                case.path_parameters = {
                    name: known.get(name, value) for name, value in case.path_parameters.items()
                }
                if isinstance(case.body, dict) and "video" in case.body:
                    case.body["video"] = video
            told = send(client, case)
            asked.setdefault(operation.label, set()).add(told.status_code)
            assert told.status_code < 500, f"{operation.label}: {told.status_code} {told.text}"
            if told.status_code >= 400:
                assert isinstance(told.json()["detail"], str)

        ask()

    for result in described.get_all_operations():
        check(result.ok())
    assert len(asked) >= 20
    answered = {label for label, codes in asked.items() if min(codes) < 300}
    assert len(answered) >= 15, sorted(set(asked) - answered)
