"""What strangers ask of three real videos, and when it is so: seen by eye, or by their labels."""

from __future__ import annotations

from dataclasses import dataclass

SLACK_S = 1.25
"""Frames are a second apart, and come a moment late; labels are right to half a second or so."""

CUT_SLACK_S = 0.1

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with its truth.

    Attributes:
        video: Its file's name without ending.
        query: As somebody would ask.
        truth: When it is so; none where it never is.
        is_knowable: Whether the classical describer could know it.
        slack_s: How far an answer may reach beyond the truth.
    """

    video: str
    query: str
    truth: Spans = ()
    is_knowable: bool = True
    slack_s: float = SLACK_S


VISITS: Spans = (
    (6, 20.2),
    (22.8, 45),
    (50.6, 70.2),
    (74.7, 87),
    (92.7, 120.2),
    (123.6, 136.2),
)
NOBODY: Spans = (
    (0, 6),
    (20.2, 22.8),
    (45, 50.6),
    (70.2, 74.7),
    (87, 92.7),
    (120.2, 123.6),
    (136.2, 139.4),
)
LEAVING: Spans = tuple((end_s - 0.5, end_s + 0.5) for _, end_s in VISITS)
JOINS: Spans = tuple((at_s, at_s + 0.05) for at_s in (9.63, 19.63, 29.38, 38.96))
TEST_CARD: Spans = ((599.58, 615.58),)
VISITOR, GALLERY, MIX = "one_by_one", "sam2_gallery_concat", "permissive_composite"
HEAD = "kitchen_ego"

FURTHER = (
    Labelled(VISITOR, "WHEN DOES SOMEBODY ENTER?", VISITS),
    Labelled(VISITOR, "please show me when the second person walks in", VISITS[1:2]),
    Labelled(VISITOR, "the second to last person enters", VISITS[-2:-1]),
    Labelled(VISITOR, "who is the last to leave", LEAVING[-1:]),
    Labelled(VISITOR, "when does the third visitor leave", LEAVING[2:3]),
    Labelled(VISITOR, "is the room ever empty?", NOBODY),
    Labelled(VISITOR, "is there always somebody in the room?", VISITS),
    Labelled(VISITOR, "how many people come in?", VISITS),
    Labelled(VISITOR, "how long does the first person stay?", VISITS[:1]),
    Labelled(VISITOR, "when is the room empty between 0:40 and 1:15?", NOBODY[2:4]),
    Labelled(VISITOR, "someone enters between 0:20 and 0:30", VISITS[1:2]),
    Labelled(VISITOR, "does anybody enter before 0:05?"),
    Labelled(VISITOR, "who comes after 1:30?", VISITS[4:]),
    Labelled(VISITOR, "is anybody there after 5:00?"),
    Labelled(VISITOR, "after the second person leaves", ((45, 69.7),)),
    Labelled(VISITOR, "before the first person enters", ((0, 6),)),
    Labelled(VISITOR, "while nobody is there", NOBODY),
    Labelled(VISITOR, "when does it stop being empty", ((0, 139.4),)),
    Labelled(VISITOR, "exactly one person", is_knowable=False),
    Labelled(VISITOR, "somebody is not moving", is_knowable=False),
    Labelled(VISITOR, "the room is occupied", VISITS),
    Labelled(VISITOR, "motion is detected", VISITS),
    Labelled(VISITOR, "when is there no text on the screen?", ((0, 139.4),)),
    Labelled(VISITOR, "sombody entres", VISITS),
    Labelled(VISITOR, "the screen is blakc"),
    Labelled(VISITOR, "Wann ist niemand da?", NOBODY),
    Labelled(VISITOR, "quando entra qualcuno?", VISITS),
    Labelled(VISITOR, "когда кто-то входит?", VISITS, is_knowable=False),
    Labelled(VISITOR, "penultimate shot"),
    Labelled(VISITOR, "somebody says hello", is_knowable=False),
    Labelled(GALLERY, "HOW MANY CUTS?", JOINS, slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "cut number 3", JOINS[2:3], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the second to last cut", JOINS[2:3], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the first two cuts", JOINS[:2], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the next-to-last shot", ((29.38, 38.96),), slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "scene 6"),
    Labelled(GALLERY, "how long is the second shot?", ((9.63, 19.63),), slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "after the third cut", ((29.38, 49.25),), slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "between cut 1 and 2", ((9.63, 19.63),), slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the end of the third shot", JOINS[2:3], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "is there a cut between 0:10 and 0:25?", JOINS[1:2], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "cuts in the first half", JOINS[:2], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "red before 0:15", ((9.63, 15),)),
    Labelled(GALLERY, "something red after the second cut", is_knowable=False),
    Labelled(GALLERY, "is there text in the third shot?", ((19.63, 29.38),)),
    Labelled(GALLERY, "is there text in the first 10 seconds?"),
    Labelled(GALLERY, "no text", ((0, 19.63), (26.5, 49.25))),
    Labelled(GALLERY, "a green screen", ((38.96, 49.25),), is_knowable=False),
    Labelled(GALLERY, "a word is spelled", ((19.63, 29.38),), is_knowable=False),
    Labelled(GALLERY, "how long is the video?", is_knowable=False),
    Labelled(GALLERY, "der zweite Schnitt", JOINS[1:2], slack_s=CUT_SLACK_S),
    Labelled(MIX, "is it dark before 5:00?"),
    Labelled(MIX, "when does it stop being dark?", ((345.5, 347.5), (352.5, 354.5))),
    Labelled(MIX, "the second time it gets dark", ((348.5, 353.92),)),
    Labelled(MIX, "when is the screen not dark?", ((0, 340.92), (346, 349), (353.92, 615.58))),
    Labelled(MIX, "dark shots", ((340.92, 353.92),)),
    Labelled(MIX, "is there any text before 9 minutes?", ((409.08, 418.83), (525.33, 530))),
    Labelled(MIX, "75 percent", TEST_CARD),
    Labelled(MIX, "timecode 00:00:05", ((604.58, 605.58),)),
    Labelled(MIX, "when does the counter reach 10 seconds", ((609.58, 610.58),), is_knowable=False),
    Labelled(MIX, "does the scene change at 0:30?", ((30.17, 30.25),), slack_s=CUT_SLACK_S),
    Labelled(MIX, "the third cut after 5:00", ((340.92, 341.0),), slack_s=CUT_SLACK_S),
    Labelled(MIX, "second last scene", ((569.42, 599.58),), slack_s=CUT_SLACK_S),
    Labelled(HEAD, "does the camera move?", ((0, 41.13),)),
    Labelled(HEAD, "is there a cut?"),
    Labelled(HEAD, "how many shots", ((0, 41.13),)),
    Labelled(HEAD, "someone enters", is_knowable=False),
    Labelled(HEAD, "someone opens the fridge", ((19.2, 24.5),), is_knowable=False),
    Labelled(HEAD, "is it dark?"),
)

QUESTIONS = (
    Labelled(VISITOR, "When does someone enter the room?", VISITS),
    Labelled(VISITOR, "something is present", VISITS),
    Labelled(VISITOR, "When does somebody leave?", LEAVING),
    Labelled(VISITOR, "Nobody is in the room.", NOBODY),
    Labelled(VISITOR, "does the camera move?"),
    Labelled(VISITOR, "When does the screen go black?"),
    Labelled(VISITOR, "the scene changes"),
    Labelled(VISITOR, "a dissolve", is_knowable=False),
    Labelled(VISITOR, "When does the text “GAME OVER” appear?"),
    Labelled(VISITOR, "a man in a polo shirt comes in last", ((123.6, 136.2),), is_knowable=False),
    Labelled(VISITOR, "someone reads a book", ((22.8, 45),), is_knowable=False),
    Labelled(GALLERY, "When does the scene change?", JOINS, slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the first cut", JOINS[:1], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "a new shot begins suddenly", JOINS, slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "When does the logo appear?", is_knowable=False),
    Labelled(GALLERY, "a woman plays with her dog", ((0, 9.63),), is_knowable=False),
    Labelled(GALLERY, "Coffee is being poured.", ((30.4, 38.96),), is_knowable=False),
    Labelled(GALLERY, "does the picture flicker?"),
    Labelled(GALLERY, "the screen is completely white"),
    Labelled(MIX, "the last cut", ((599.58, 599.68),), slack_s=CUT_SLACK_S),
    Labelled(MIX, "somebody tosses a pancake", ((393.75, 404.08),), is_knowable=False),
    Labelled(MIX, "when does $48,230 appear?", is_knowable=False),
    Labelled(MIX, "people demonstrate sign language", ((525.33, 569.42),), is_knowable=False),
    Labelled(MIX, "the screen is white in the intro"),
    Labelled(MIX, "a train arrives fast", is_knowable=False),
    Labelled(VISITOR, "pls tell me when nobody is around", NOBODY),
    Labelled(VISITOR, "Could you kindly find when a visitor arrives?", VISITS),
    Labelled(VISITOR, "no one is in the room", NOBODY),
    Labelled(VISITOR, "there are no people", NOBODY),
    Labelled(VISITOR, "when has somebody left the room?", LEAVING),
    Labelled(VISITOR, "the last visitor leaves", LEAVING[-1:]),
    Labelled(VISITOR, "the third time somebody comes in", VISITS[2:3]),
    Labelled(VISITOR, "the longest time that nobody is there", NOBODY[:1]),
    Labelled(VISITOR, "Is someone in the room at the beginning?"),
    Labelled(VISITOR, "is anybody there at the end?"),
    Labelled(VISITOR, "something on the left", VISITS),
    Labelled(VISITOR, "motion on the right side", VISITS),
    Labelled(VISITOR, "the room is empty after somebody leaves", NOBODY),
    Labelled(VISITOR, "the screen freezes", is_knowable=False),
    Labelled(VISITOR, "somebody comes back", is_knowable=False),
    Labelled(VISITOR, "everyone leaves", LEAVING, is_knowable=False),
    Labelled(VISITOR, "somebody walks past", is_knowable=False),
    Labelled(VISITOR, "two people are in the room", is_knowable=False),
    Labelled(VISITOR, "somebody is alone", VISITS, is_knowable=False),
    Labelled(VISITOR, "someone turns around", is_knowable=False),
    Labelled(VISITOR, "the lights go off", is_knowable=False),
    Labelled(VISITOR, "when does it get dark?"),
    Labelled(VISITOR, "a fade to black"),
    Labelled(VISITOR, "the third cut"),
    Labelled(VISITOR, "the longest shot", ((0, 139.4),)),
    Labelled(VISITOR, "a static shot", ((0, 139.4),)),
    Labelled(VISITOR, "slow motion", is_knowable=False),
    Labelled(VISITOR, "subtitles"),
    Labelled(VISITOR, "is there an e-mail address?"),
    Labelled(VISITOR, "$20"),
    Labelled(VISITOR, "loudest moment", is_knowable=False),
    Labelled(VISITOR, "the music starts", is_knowable=False),
    Labelled(VISITOR, "applause", is_knowable=False),
    Labelled(VISITOR, "Wann ist der Raum leer?", NOBODY),
    Labelled(VISITOR, "¿Cuándo entra alguien?", VISITS),
    Labelled(VISITOR, "Quand est-ce que quelqu'un entre ?", VISITS),
    Labelled(GALLERY, "third cut", JOINS[2:3], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the second scene", ((9.63, 19.63),), slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "how long is the first shot?", ((0, 9.63),), slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the longest shot", ((38.96, 49.25),), slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "when does the word SAM appear?", ((19.63, 29.38),)),
    Labelled(GALLERY, "is there any text?", ((19.63, 29.38),)),
    Labelled(GALLERY, "when does the title appear", is_knowable=False),
    Labelled(GALLERY, "opening titles", is_knowable=False),
    Labelled(GALLERY, "a price"),
    Labelled(GALLERY, "no movement", is_knowable=False),
    Labelled(MIX, "when does the time code show 00:00:10?", ((609.58, 610.58),)),
    Labelled(MIX, "1024 x 768", TEST_CARD),
    Labelled(MIX, "numbers on the screen", TEST_CARD),
    Labelled(MIX, 'does it say "Photo JPEG"', TEST_CARD),
    Labelled(MIX, "an URL"),
    Labelled(MIX, "the date appears"),
    Labelled(MIX, "German subtitles", is_knowable=False),
    Labelled(MIX, "the second scene", ((30.17, 39.83),), slack_s=CUT_SLACK_S),
    Labelled(MIX, "dark scene", ((340.92, 353.92),)),
    Labelled(MIX, "the camera zooms in", ((488.67, 495.17),)),
    Labelled(MIX, "it gets brighter", is_knowable=False),
    Labelled(MIX, "the intro", is_knowable=False),
    Labelled(MIX, "end credits", is_knowable=False),
    Labelled(MIX, "the first slide", is_knowable=False),
    *FURTHER,
)
