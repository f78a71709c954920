"""What a node may change."""

from typing import get_type_hints

from agent.graph.state import State, Update


def test_an_update_knows_every_value_of_the_state_by_the_same_type() -> None:
    assert get_type_hints(Update) == get_type_hints(State)
