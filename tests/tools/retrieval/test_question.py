"""A question by rule: the event that it asks about, where it is said to be, what it is next to."""

import pytest

from tools.grounding.place import Place
from tools.retrieval.question import Asked, parts_of, read_question
from tools.retrieval.temporal_query import Nth, Related, Single


@pytest.mark.parametrize(
    ("query", "text", "place"),
    [
        ("Why did the boy jump?", "the boy jump", None),
        ("how is the baby held", "the baby held", None),
        ("when does the train arrive", "the train arrive", None),
        ("Where's the cat hiding?", "the cat hiding", None),
        ("what does the dog eat", "the dog eat", None),
        ("what happens to the cup", "the cup", None),
        ("what is the man in black doing", "the man in black", None),
        ("why does she smile at the end of the video", "she smile", "end"),
        ("why did he fall near the start", "he fall", "start"),
        ("why does the cat sit in the middle after eating", "the cat sit after eating", "middle"),
        ("a man waves at the end of the video", "a man waves", "end"),
        ("how many times does the dog bark?", "the dog bark", None),
        ("everytime somebody leaves", "somebody leaves", None),
        ("how many scenes are there", "scenes", None),
        ("how many cuts does this clip have?", "cuts", None),
        ("at what time does the bell ring", "the bell ring", None),
        ("at which second does the bell ring", "the bell ring", None),
        ("how long is the room empty?", "the room empty", None),
        ("Hello, could you please find when the bell rings?", "the bell rings", None),
        ("please tell me: when does the bell ring", "the bell ring", None),
    ],
)
def test_a_question_is_reduced_to_its_event(query: str, text: str, place: Place | None) -> None:
    asked = read_question(query)
    assert (asked.text, asked.place, asked.beside) == (text, place, "")


@pytest.mark.parametrize(
    "query",
    [
        "A man waves.",
        "Hello Kitty waves.",
        "a man asks: could you tell me the time",
        "a table with flowers in the middle",
        "a man stands at the end of the road",
        "the middle of the dance",
        "when the man leaves, the dog barks",
        "what",
        "why",
    ],
)
def test_a_statement_stays_as_it_is(query: str) -> None:
    assert read_question(query) == Asked(query)


@pytest.mark.parametrize("query", ["at the end", "before the end", "what happens at the start?"])
def test_an_edge_of_the_video_alone_asks_what_is_there(query: str) -> None:
    assert read_question(query).is_open


@pytest.mark.parametrize(
    ("query", "beside", "side"),
    [
        ("what does the man do after he opens the fridge", "he opens the fridge", "after"),
        ("what did the girl do right after sitting down", "the girl sitting down", "after"),
        ("how does the dog react before the bell rings?", "the bell rings", "before"),
        ("the last thing he does before he leaves", "he leaves", "before"),
        ("What is the first thing she did after sitting down?", "she sitting down", "after"),
    ],
)
def test_what_comes_next_is_asked_by_what_it_is_next_to(query: str, beside: str, side: str) -> None:
    asked = read_question(query)
    assert (asked.beside, asked.side) == (beside, side)
    assert isinstance(parts_of(query), Single)


def test_the_first_thing_before_something_is_not_next_to_it() -> None:
    assert not read_question("the first thing he does before he leaves").beside


def test_who_asks_why_takes_it_for_granted_and_who_asks_whether_does_not() -> None:
    assert read_question("why did the boy jump").is_presupposed
    assert read_question("what does he do after the bell rings").is_presupposed
    assert not read_question("did the boy jump").is_presupposed
    assert not read_question("who jumps").is_presupposed
    assert not read_question("the boy jumps").is_presupposed


def test_the_order_in_a_question_is_that_of_its_statement() -> None:
    assert parts_of("why did the dog bark after the man leaves") == Related(
        Single("the dog bark"), "after", (Single("the man leaves"),)
    )
    assert parts_of("when is the second time the man leaves") == Nth(Single("the man leaves"), 2)


@pytest.mark.parametrize(
    ("query", "is_presupposed"),
    [
        ("why did the boy jump", True),
        ("what does the dog eat", True),
        ("when does the logo appear", False),
        ("at what time does the bell ring", False),
        ("how many times does the dog bark", False),
        ("how many dogs are there", False),
        ("is the table red", False),
    ],
)
def test_only_what_is_asked_about_is_taken_for_granted(query: str, is_presupposed: bool) -> None:
    assert read_question(query).is_presupposed is is_presupposed
