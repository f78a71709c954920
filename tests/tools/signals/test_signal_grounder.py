"""Questions to the classical describer: answered from claims, or handed back with the odd words."""

import pytest

from tests.measured_film import (
    DURATION_S,
    EMPTY,
    FILM,
    MEDIUM,
    STILL,
    ask,
    at_left,
    caption,
    cut_at,
    read,
    said,
    spans,
)
from tools.retrieval.question import read_question
from tools.signals.claims import Claim, Kind
from tools.signals.signal_grounder import ground_signals
from tools.signals.signal_query import understand


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("the screen goes black", [(5, 7)]),
        ("When is the picture black?", [(5, 7)]),
        ("the screen is dark", [(5, 7)]),
        ("the camera pans left", [(7, 9)]),
        ("camera pan", [(7, 9)]),
        ("the camera is panning to the left", [(7, 9)]),
        ("the camera moves", [(7, 9)]),
        ("the camera does not move", [(1, 5)]),
        ("the camera is still", [(1, 5)]),
        ("something enters the picture", [(2, 4)]),
        ("something appears on the left", [(2, 4)]),
        ("when does something enter from the left", [(2, 4)]),
        ("something is visible in the middle", [(3, 4)]),
        ("something moves", [(2, 3)]),
        ("is there any movement?", [(2, 3)]),
        ("something leaves", [(3, 5)]),
        ("something is gone", [(3, 5)]),
        ("nothing moves", [(1, 2)]),
        ("there is no movement", [(1, 2)]),
        ("the picture is still", [(1, 2)]),
        ("nothing is there", [(0, 2), (4, 5)]),
        ("the scene is empty", [(0, 2), (4, 5)]),
        ("a cut", [(4.62, 4.66), (7, 7.04)]),
        ("new shot", [(4.62, 4.66), (7, 7.04)]),
        ("a new shot begins suddenly", [(4.62, 4.66), (7, 7.04)]),
        ("when does the scene change", [(4.62, 4.66), (7, 7.04)]),
        ("the first cut", [(4.62, 4.66)]),
        ("the last scene change", [(7, 7.04)]),
        ("the longest time that nothing is there", [(0, 2)]),
        ("the shortest empty scene", [(4, 5)]),
        ("a red area", [(8, 10)]),
        ("a big red area at the right", [(8, 9)]),
        ("the screen turns red", [(9, 10)]),
        ("the title INTERMISSION is on screen", [(0, 2)]),
        ("the intermission title", [(0, 2)]),
        ('the text "Chapter 2" appears', [(0, 2)]),
        ("when does it say the end", [(9, 10)]),
        ("the word END", [(9, 10)]),
        ("the word dog", [(9, 10)]),
        ("'the end' is shown", [(9, 10)]),
        ("there is text on screen", [(0, 2), (9, 10)]),
        ("lots of text", [(0, 2), (9, 10)]),
        ("the title intermission disappears", [(1, 3)]),
    ],
)
def test_a_question_of_the_senses_finds_its_stretch(
    query: str, expected: list[tuple[float, float]]
) -> None:
    answer = ask(query)
    assert answer.verdict == "found", answer.reasoning
    assert spans(answer) == expected


@pytest.mark.parametrize(
    ("query", "strange"),
    [
        ("a dog barks", "dog"),
        ("a red car", "car"),
        ("he looks at his phone", "phone"),
        ("a person in a hat enters the room", "person"),
        ("someone walks in the park", "park"),
        ("people walk past", "past"),
        ("the number 7 bus arrives", "bus"),
        ("someone opens the door", "opens"),
        ("when does the logo appear", "logo"),
        ("the man in the red shirt appears", "man"),
        ("a black cat", "cat"),
        ("a person reads a newspaper", "person"),
        ("people demonstrate sign language", "language"),
        ("Somebody spells a word with toy bricks.", "spells"),
        ("the screen goes black and a dog barks", "barks"),
        ("a man with a title", "man"),
        ("something moves to the left", "something moves to the left"),
        ("something moves from left to right", "something moves from left to right"),
        ("something black", "something black"),
        ("is there a black thing", "black thing"),
        ("someone reads a book", "book"),
        ("somebody is reading", "reading"),
        ("reading a newspaper", "newspaper"),
        ("she says hello", "says"),
        ("a woman writes words", "woman"),
        ("屏幕变黑", "屏幕变黑"),
    ],
)
def test_a_question_with_a_word_beyond_the_senses_cannot_be_told(query: str, strange: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert answer.events == answer.windows == ()
    assert f"“{strange}”" in answer.reasoning


@pytest.mark.parametrize(
    "query",
    [
        "the screen is white",
        "the picture is mostly green",
        "the title GAME OVER",
        'the text "Chapter 3" appears',
        "the word art",
    ],
)
def test_what_the_senses_would_have_shown_and_did_not_is_not_found(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "not_found"
    assert answer.events == ()
    assert answer.reasoning


def test_strange_words_that_stand_on_the_screen_are_pointed_out() -> None:
    assert "“dog” can be read on the screen at 0:09.00–0:10.00." in ask("a dog").reasoning
    apart = [read(0, "a dog"), read(1, "a cat"), read(2, "a dog"), read(3, "a dog")]
    assert "at 0:00.00–0:01.00, 0:02.00–0:04.00." in ask("a dog barks", apart).reasoning


def test_text_cannot_be_told_where_nothing_read_it() -> None:
    unread = [caption(0, "The screen is black.", model="classical-4")]
    answer = ask("the title INTERMISSION", unread)
    assert answer.verdict == "cannot_tell"
    assert "whenabouts[ocr]" in answer.reasoning


def test_presence_cannot_be_told_where_the_camera_is_never_still() -> None:
    answer = ask("something appears", [said(0, Claim("pans left"))])
    assert answer.verdict == "cannot_tell"
    assert "never known to be still" in answer.reasoning


def test_a_title_card_is_not_called_an_empty_scene() -> None:
    card = [said(0, STILL, EMPTY), said(1, STILL, EMPTY)]
    film = [cut_at(2.0), said(2, EMPTY), said(3, at_left("appears"))]
    assert spans(ask("nothing is there", [*card, *film])) == [(2, 3)]


def test_what_was_there_when_the_shot_began_has_not_entered() -> None:
    shot = [said(second, at_left("present")) for second in range(10)]
    answer = ask("something enters", shot)
    assert answer.verdict == "cannot_tell"
    assert answer.reasoning == (
        "Something is present in 10 sampled frames, but its arrival was not seen."
    )
    assert ask("something enters at the right", shot).verdict == "not_found"
    assert spans(ask("something is there", shot)) == [(0, 10)]


def test_a_short_dropout_does_not_split_a_text() -> None:
    answer = ask("the word END", [read(0, "THE END"), said(1, MEDIUM), read(2, "THE END")])
    assert spans(answer) == [(0, 3)]


def test_the_times_of_cuts_are_told_exactly() -> None:
    reasoning = ask("a cut").reasoning
    assert reasoning.startswith("Cut at 0:04.62, 0:07.00. Dissolves and fades")
    assert "No cut in any decoded frame. Dissolves" in ask("a cut", FILM[:5]).reasoning


@pytest.mark.parametrize(
    "query", ["a dissolve", "when does it crossfade", "the picture fades out", "the shot fades in"]
)
def test_what_is_not_looked_for_is_named(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert answer.reasoning == "Dissolves and fades from shot to shot are not looked for."


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("something appears at the bottom", "the background known, for 5 of 10 s"),
        ("something moves at the bottom", "The picture was unchanged for 2 of 10 s"),
        ("the camera zooms in", "The camera was still for 4 of 10 s"),
    ],
)
def test_what_was_not_watched_for_all_the_time_cannot_be_told_to_be_absent(
    query: str, reason: str
) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert reason in answer.reasoning


def test_a_still_camera_all_the_time_makes_no_move() -> None:
    still = [said(second, STILL) for second in range(10)]
    assert ask("the camera zooms in", still).verdict == "not_found"
    assert ask("the camera zooms in", still[:8]).verdict == "cannot_tell"


def test_a_strobe_is_not_told_to_be_without_black() -> None:
    film = [said(second, Claim("flickers")) for second in range(10)]
    assert ask("the screen goes black", film).verdict == "cannot_tell"
    assert spans(ask("a strobe", film)) == [(0, 10)]


def test_a_room_is_not_empty_before_one_left_who_was_there_from_the_start() -> None:
    film = [said(0, EMPTY), said(1, Claim("gone", place="in the middle"), EMPTY), said(2, EMPTY)]
    assert spans(ask("Nobody is in the room.", film)) == [(1, 3)]


@pytest.mark.parametrize(
    ("query", "expected", "note"),
    [
        ("someone enters the room", (2, 4), "“Someone” was taken for “something”"),
        ("the camera pans left fast", (7, 9), "Left out: “fast”."),
        ("the screen is mostly red", (9, 10), ""),
        ("lots of red", (8, 10), ""),
        ("lots of black", (5, 7), "Left out: “lots”."),
        ("is the screen black in the intro?", (5, 7), "Left out: “in the intro”."),
        ("the screen is really very dark", (5, 7), ""),
    ],
)
def test_words_for_how_and_who_are_understood_or_left_out_with_a_note(
    query: str, expected: tuple[float, float], note: str
) -> None:
    answer = ask(query)
    assert spans(answer) == [expected]
    assert note in answer.reasoning
    assert ("Left out" in answer.reasoning) == ("Left out" in note)


@pytest.mark.parametrize(
    "query", ["chapter 2", "when does Chapter 2 appear", "where is Intermission shown?"]
)
def test_words_that_can_be_read_need_no_word_for_text(query: str) -> None:
    answer = ask(query)
    assert spans(answer) == [(0, 2)]
    assert "looked for as text on the screen" in answer.reasoning


@pytest.mark.parametrize(
    ("query", "kind", "verdict"),
    [
        ("someone enters from the left", "appears", "cannot_tell"),
        ("something appears from the right", "appears", "not_found"),
        ("someone leaves to the left", "gone", "cannot_tell"),
        ("how many people come from the left?", "appears", "cannot_tell"),
        ("someone enters on the left", "appears", "found"),
        ("something leaves at the left", "gone", "found"),
    ],
)
def test_what_comes_or_goes_in_a_corner_is_not_said_to_do_so_by_a_side(
    query: str, kind: Kind, verdict: str
) -> None:
    corner = Claim(kind, place="at the bottom left", size="small")
    film = [said(0, STILL, EMPTY), *(said(at_s, STILL, EMPTY) for at_s in range(1, 10))]
    film[4] = said(4, STILL, corner)
    answer = ask(query, film)
    assert answer.verdict == verdict, answer.reasoning
    if verdict == "cannot_tell":
        assert " or at the top or bottom is not measured" in answer.reasoning


def test_what_came_by_one_side_is_neither_said_to_stay_there_nor_to_have_come_by_another() -> None:
    film = [said(at_s, STILL, EMPTY) for at_s in range(10)]
    film[2] = said(2, STILL, Claim("appears", place="at the left", size="small"))
    film[3] = said(3, STILL, Claim("present", place="at the right", size="small"))
    answer = ask("someone enters from the left", film)
    assert answer.verdict == "found"
    assert "“something appears (left)”, and is there until it goes" in answer.reasoning
    answer = ask("someone enters from the right", film)
    assert answer.verdict == "cannot_tell"
    assert "comes elsewhere, and something is present at the right later" in answer.reasoning
    film[2] = said(2, STILL, EMPTY)
    assert "arrival was not seen" in ask("someone enters from the right", film).reasoning


def test_one_ordinary_word_on_a_sign_is_no_thing() -> None:
    assert ask("a dog").verdict == ask("when does a film appear?").verdict == "cannot_tell"


@pytest.mark.parametrize("query", ["somebody comes back", "when does somebody return?"])
def test_who_comes_is_not_said_to_come_back(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert "not told from what was there before; ask when something appears" in answer.reasoning


def test_a_text_in_pieces_beside_the_text_itself_is_another_one() -> None:
    film = [read(0, "code 1", "exit"), read(1, "no code"), read(2, "exit code 1")]
    assert spans(ask('the text "exit code 1"', film)) == [(2, 3)]
    assert spans(ask('the text "exit code 1"', film[:2])) == [(0, 1)]


@pytest.mark.parametrize(
    ("wanted", "shown", "is_there"),
    [
        ("$48,230", "Total $48,230", True),
        ("$48,230", "Total $48,999 and 230 more", False),
        ("48,230", "148,230", False),
        ("48,230", "48,230,500", False),
        ("48,230", "48230", True),
        ("3.5", "35", False),
        ("12:00:06", "2026-11-26 12:00:06", True),
        ("12:00:06", "12:00:07", False),
        ("12:00", "12:00:06", False),
        ("00:00:10", "00:00:10:11", True),
        ("00:00:10", "01:00:00:10", False),
        ("12:00:06", "12:00:06.250", True),
        ("12:30", "at 12:30pm", True),
        ("$48,230", "Total $48,230.00", True),
        ("$48,230", "Total48,230", True),
        ("48.230 €", "48.230€", True),
        ("48.230 €", "148.230 €", False),
        ("10.5 kg", "105 kg", False),
        ("3,5", "3.5", True),
        ("1.5M", "15M views", False),
        ("1.5M", "1.5M views", True),
        ("v2.1", "Version V2.1 beta", True),
        ("v2.1", "v21", False),
        ("v2.1", "v2.1.3", False),
    ],
)
def test_numbers_and_prices_stay_whole(wanted: str, shown: str, is_there: bool) -> None:
    answer = ask(f'the text "{wanted}" appears', [read(0, shown)])
    assert (answer.verdict == "found") == is_there


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("the price is $48,230", "48,230"),
        ("when is the price 48.230 € shown?", "48.230"),
        ("the number 48,230 appears", "48,230"),
        ("version v2.1 is shown", "v2.1"),
        ("the time is 12:30", "12:30"),
    ],
)
def test_a_number_that_is_named_is_looked_for_as_text(query: str, number: str) -> None:
    assert understand(query).text == (number,)


@pytest.mark.parametrize(
    ("query", "expected", "note"),
    [
        ("someone walks in", (2, 4), "“Walks in” was taken for “enters”"),
        ("a person walks into the room", (2, 4), "“Person” was taken for “something”"),
        ("someone shows up", (2, 4), "“Shows up” was taken for “appears”"),
        ("people walk in slowly", (2, 4), "Left out: “slowly”."),
        ("a person leaves", (3, 5), "“Person” was taken for “something”: who it is"),
        ("somebody walks out of the room", (3, 5), "“Walks out of” was taken for “leaves”"),
    ],
)
def test_ways_to_come_and_to_go_are_what_is_measured_of_them_with_a_note(
    query: str, expected: tuple[float, float], note: str
) -> None:
    answer = ask(query)
    assert spans(answer) == [expected]
    assert note in answer.reasoning


def test_an_orange_area_has_its_article_in_reasons_too() -> None:
    assert "there is an orange area" in ask("the screen is orange").reasoning


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("a green area", "No green area of at least 4% of the picture was measured"),
        ("something pink appears", "smaller ones are not looked for"),
        ("something flashes", "whether something flashes in a part of it"),
        ("fade to white", "No white screen lasts, and dissolves and fades"),
        ("a transition to blue", "Dissolves and fades from shot to shot are not looked for."),
        (
            "a dog barks and then a cat",
            "The classical describer does not know “dog”, “barks”, “cat”.",
        ),
        ("saying farewell", "what is said is not heard by the classical describer"),
    ],
)
def test_what_is_too_small_too_slow_or_only_heard_may_be_there_all_the_same(
    query: str, why: str
) -> None:
    answer = ask(query)
    assert (answer.verdict, answer.events) == ("cannot_tell", ())
    assert why in answer.reasoning


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("is anything red at the end?", [(8, 10)]),
        ("is the screen black at the start of the video?", []),
        ("is the screen black at the end", []),
    ],
)
def test_the_start_and_the_end_of_the_video_are_meant_as_said(
    query: str, expected: list[tuple[float, float]]
) -> None:
    answer = ask(query)
    assert spans(answer) == expected
    assert ("None of it is at the" in answer.reasoning) is (not expected)
    assert answer.verdict == ("found" if expected else "not_found")


def test_another_scene_may_come_without_a_cut_unless_the_camera_stood_still() -> None:
    moving = [said(at, Claim("pans left")) for at in range(10)]
    still = [said(at, STILL) for at in range(10)]
    assert ask("the scene changes", moving).verdict == "cannot_tell"
    assert ask("a cut", moving).verdict == "not_found"
    assert ask("the scene changes", still).verdict == "not_found"
    assert ask("the scene changes").verdict == "found"


def test_a_refusal_is_one_line() -> None:
    assert ask("a dog barks", [read(0, "ABC")]).reasoning == (
        "The classical describer does not know “dog”, “barks”."
    )


def test_the_answer_does_not_depend_on_the_order_of_the_captions() -> None:
    for query in ("something enters", "a cut", "the word END", "nothing is there"):
        assert spans(ask(query, FILM[::-1])) == spans(ask(query))


def test_relevance_marks_the_captions_that_answer() -> None:
    answer = ask("the screen goes black")
    assert [i for i, worth in enumerate(answer.relevance) if worth] == [6, 7]


def test_confidence_is_lower_for_a_misread_text() -> None:
    exact = ask("the title INTERMISSION", [read(0, "INTERMISSION")]).events[0].confidence
    misread = ask("the title INTERMISSION", [read(0, "INTERMISION")]).events[0].confidence
    assert 0.5 < misread < exact < 1


def test_at_most_ten_windows_stand_for_many_events() -> None:
    flashes = [said(2 * i, Claim("black")) for i in range(30)]
    answer = ground_signals("black screen", flashes, duration_s=60.0)
    assert len(answer.events) == 30
    assert len(answer.windows) == 10


def test_no_answer_ends_after_the_video() -> None:
    answer = ground_signals("black screen", [said(0, Claim("black"))], duration_s=0.5)
    assert spans(answer) == [(0, 0.5)]


@pytest.mark.parametrize("query", ["", "   ", "the", "when is it?"])
def test_a_question_without_a_word_to_look_for_cannot_be_told(query: str) -> None:
    assert ask(query).verdict == "cannot_tell"


def test_no_captions_tell_nothing() -> None:
    assert ask("black screen", []).verdict == "cannot_tell"


def test_the_words_around_a_text_do_not_belong_to_it() -> None:
    assert understand("the text game over is on the screen").text == ("game", "over")
    assert understand("a title card saying THE END").text == ("end",)
    assert understand("when does the screen say hello world").text == ("hello", "world")


SHOTS = [(0, 4.62), (4.62, 7), (7, DURATION_S)]


@pytest.mark.parametrize(
    ("query", "expected", "why"),
    [
        ("how many scenes are there?", SHOTS, "There are 3 shots, from cut to cut."),
        ("how many shots does the video have", SHOTS, "There are 3 shots, from cut to cut."),
        ("show me the scenes", SHOTS, "There are 3 shots, from cut to cut."),
        ("the last scene", SHOTS[-1:], "This is the last of 3 shots, from cut to cut."),
        ("the first shot", SHOTS[:1], "This is the first of 3 shots, from cut to cut."),
        ("the longest shot", SHOTS[:1], "This is one of 3 shots, from cut to cut."),
        ("the shortest scene", SHOTS[1:2], "This is one of 3 shots, from cut to cut."),
    ],
)
def test_scenes_are_what_lies_between_cuts(
    query: str, expected: list[tuple[float, float]], why: str
) -> None:
    ranking = ask(read_question(query).text)
    assert spans(ranking) == expected
    assert ranking.reasoning.startswith(why)


def test_a_video_without_a_cut_is_one_shot() -> None:
    ranking = ask("how many scenes are there", FILM[:2])
    assert spans(ranking) == [(0, DURATION_S)]
    assert ranking.reasoning.startswith("From cut to cut, it is one shot.")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("the clock says 12:00:09", ["12:00:09"]),
        ("the timer reads 00:15", ["00:15"]),
        ("the scoreboard shows 3:2", ["3:2"]),
        ("when does the counter show 48,230 on the screen?", ["48,230"]),
    ],
)
def test_what_a_clock_or_a_scoreboard_shows_is_text(query: str, text: list[str]) -> None:
    assert understand(query).text == tuple(text)


def test_no_text_is_not_the_text_no() -> None:
    film = [*FILM, read(4, "No smoking")]
    assert ask("without subtitles", film).verdict == "cannot_tell"
    # From 2 to 4 s it may only not have been read.
    assert spans(ask("there is no text on the screen", film)) == [(5, 9)]
    assert spans(ask("no text", FILM)) == [(2, 9)]


def test_a_flash_may_be_a_white_screen_or_too_small_to_be_measured() -> None:
    assert spans(ask("a flash", [*FILM, said(5, Claim("white"))])) == [(5, 6)]
    assert ask("a flash").verdict == "cannot_tell"


def test_nothing_moves_no_longer_than_a_shot_lasts() -> None:
    still = [said(at_s, STILL, Claim("nothing moves")) for at_s in range(4)]
    assert spans(ask("nothing moves", still)) == [(0, 4)]
    assert spans(ask("nothing moves", [*still, cut_at(1.48)])) == [(0, 2), (2, 4)]
    # It fades to black, and to something else.
    faded = [*still[:2], said(2, Claim("black")), still[3]]
    assert spans(ask("nothing moves", faded)) == [(0, 2), (3, 4)]
    shaken = [*still[:2], said(2, STILL), still[3]]
    assert spans(ask("nothing moves", shaken)) == [(0, 4)]
