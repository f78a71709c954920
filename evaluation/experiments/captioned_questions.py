"""What strangers ask of four real videos beside recorded captions, and when it is so.

Half of it is near what happens and never does: tea where coffee is poured, a red mug where it is
white, somebody who sits where all stand. Truth was seen by eye, or stands in the labels.
"""

from __future__ import annotations

from evaluation.experiments.labelled_questions import (
    GALLERY,
    HEAD,
    MIX,
    NOBODY,
    VISITOR,
    Labelled,
    Spans,
)

SLACK_S = 2.0
"""Captions of two of the videos are two seconds apart."""

Row = tuple[str, Spans | None]
"""A question and its truth; None where captions cannot tell, and any time is false."""

PASSING: Spans = (
    (15, 18.6),
    (222.33, 225.93),
    (316.17, 319.77),
    (378.58, 382.18),
    (447.83, 451.43),
    (510.17, 513.77),
    (584.42, 588.02),
)
"""Two cars pass each other."""

ROAD: Spans = (
    (0, 30.17),
    (207.33, 237.5),
    (301.17, 331.33),
    (363.58, 393.75),
    (432.83, 463),
    (495.17, 525.33),
    (569.42, 599.58),
)

_HEAD: tuple[Row, ...] = (
    ("the fridge is opened after the mug is washed", ((19.2, 24.5),)),
    ("what does he do after washing the mug?", ((14.3, 22),)),
    ("when does he open the refrigerator?", ((19, 22),)),
    ("close the fridge", ((25, 28.5),)),
    ("the cupboard gets opened", ((1.8, 4.5),)),
    ("someone takes a mug out of the cupboard", ((1.8, 6),)),
    ("show me where the milk is poured", ((36.3, 40.5),)),
    ("is juice poured?", ()),
    ("a cat", ()),
    ("when does she wash the plate?", ()),
    ("what color is the cap?", None),
    (
        "blue cap",
        (
            (23, 28.9),
            (32, 36),
            (38, 42),
        ),
    ),
    ("a red mug", ()),
    ("when does he put the mug down?", ((14.5, 17),)),
    ("he drinks the milk", ()),
    ("how many times is the fridge opened?", ((19, 24.9),)),
    ("the microwave is opened", ()),
    ("the frigde is opend", ((19, 22),)),
    ("before he opens the fridge", ((0, 20.5),)),
    ("before the end", ((20, 41.2),)),
    ("from opening the fridge to closing it", ((18.8, 29),)),
    ("until the fridge is opened", ((0, 20.5),)),
    ("turn off the tap", None),
    ("the tap is running", ((9.5, 14),)),
    ("what happens before the milk is poured?", ((28, 37),)),
    ("he unscrews the lid", ((31.5, 35.9),)),
    ("someone puts the milk back in the fridge", ()),
    ("nobody is in the kitchen", None),
    ("the mug is broken", ()),
    ("does he wash his hands?", ()),
    ("take the milk out of the fridge", ((21, 25.5),)),
    ("someone is reading the newspaper", ()),
    ("the mug is filled with coffee", ()),
    ("when do I shut the fridge?", ((24.5, 28.5),)),
    ("a green cupboard", ()),
    ("a bottle of wine", ()),
    ("the fridge is closed before the milk is taken out", ()),
    ("the water is turned on", ((8.5, 14),)),
    ("a pan", ()),
    ("from the start until the mug is in the sink", ((0, 9.5),)),
)
_VISITOR: tuple[Row, ...] = (
    ("somebody sits at the table", ()),
    ("when does the guy with glasses leave", ((84, 88),)),
    (
        "a woman in grey",
        (
            (6, 20.2),
            (92.7, 120.2),
        ),
    ),
    ("the last person leaves after 2:00", ((133.5, 138),)),
    ("a man with a hat", ()),
    ("the person in jeans", ((123.6, 136.2),)),
    ("is there a child?", ()),
    ("when does the blonde woman arrive?", ((50.6, 70.2),)),
    (
        "how many women come to the table?",
        (
            (6, 20.2),
            (50.6, 70.2),
            (92.7, 120.2),
        ),
    ),
    ("a gray sweater", ((92.7, 120.2),)),
    ("two people at the table", ()),
    ("a dog walks in", ()),
    ("somebody talks on the phone", ()),
    ("the third man", ((123.6, 136.2),)),
    ("who comes after the blonde woman?", ((74.7, 87),)),
    ("when is there nobody?", NOBODY),
    ("someone in a red shirt", ()),
    ("wo is wearing glases?", ((74.7, 87),)),
    ("the woman in grey cardigan puts her bag down", ()),
    ("the second half is black", ()),
    ("a man in black before the woman with blonde hair", ((22.8, 45),)),
    ("the first woman leaves", ((18, 22),)),
    ("find the part where a man takes off his jacket", ()),
    ("he turns his head", ((129.5, 132.5),)),
    ("a chair", ()),
    ("the table falls over", ()),
    ("an elderly man", ()),
    ("is the table ever empty?", NOBODY),
    ("when do people fight?", ()),
    (
        "when is no woman there",
        (
            (20, 50.6),
            (70.2, 92.7),
            (120.2, 139.4),
            (0, 6),
        ),
    ),
    ("two women talk to each other", ()),
    ("a woman with short hair", ()),
    ("who is the second to arrive?", ((22.8, 45),)),
    ("a man in a white shirt", ()),
    ("somebody lies on the floor", ()),
    (
        "she has long hair",
        (
            (6, 20.2),
            (50.6, 70.2),
        ),
    ),
    ("the man in jeans turns his head", ((129.5, 132.5),)),
    ("the table is red", ()),
    (
        "how often does a man come?",
        (
            (22.8, 45),
            (74.7, 87),
            (123.6, 136.2),
        ),
    ),
    ("when does anyone clap", ()),
)
_GALLERY: tuple[Row, ...] = (
    ("a cat jumps", ()),
    ("the dog jumps", ((6.8, 8.2),)),
    ("when does the dog come back?", ((3.8, 5.2),)),
    ("the dog barks", None),
    ("what colour are the cups?", ((9.6, 20),)),
    ("green cups", ()),
    ("coffee is poured before the shell game", ()),
    ("coffee is poured after the shell game", ((30, 39),)),
    ("tea is poured", ()),
    ("somebody drinks coffee", ()),
    ("a man plays basketball", ()),
    ("the man scores a goal", ()),
    ("kick the ball", ((39, 49.3),)),
    ("the ball is under the cup", ((9.6, 20),)),
    ("how many cups are there?", ((9.6, 20),)),
    ("a soccer player", ((38.9, 49.3),)),
    ("when does the woman throw the toy?", None),
    ("she takes something from its mouth", ((4.5, 6.2),)),
    ("letters spelling a word", ((19.6, 30),)),
    ("the word DOG is spelled", ()),
    ("a woman with a child", ()),
    ("someone is cooking", ()),
    ("a yellow ball", ((9.6, 11.2),)),
    ("a white ball", ((38.9, 49.3),)),
    ("everything before the coffee", ((0, 30.5),)),
    ("what happens after the coffee is poured?", ((38.5, 49.3),)),
    ("the kettle is empty", None),
    (
        "the women bends doun to the dog",
        (
            (0, 1.1),
            (3.9, 6.1),
            (8.9, 10.1),
        ),
    ),
    ("a horse", ()),
    ("is anybody wearing a watch?", ((35.9, 37.1),)),
    ("the dog sleeps", ()),
    ("a black dog", ()),
    ("does the dog catch a frisbee?", ()),
    ("four cups", ()),
    ("a blue mug", ((29.9, 39),)),
    ("milk is poured into the mug", ()),
    ("the kettle", ((29.9, 39),)),
    ("the man catches the ball with his hands", ()),
    ("from the dog to the cups", ((0, 20),)),
    ("a hand hides the ball", ((9.6, 20),)),
)
_MIX: tuple[Row, ...] = (
    ("coffee is poured before 5:00", ()),
    ("two cars pass", PASSING),
    ("a blue car", ()),
    ("a red car", PASSING),
    ("a white car drives by", ROAD),
    ("a truck", ()),
    ("the puppy sleeps", ()),
    ("a parrot", ((418.8, 432.9),)),
    ("the parrot flies away", ()),
    ("when does the pancake burn?", ()),
    ("a pancake is flipped", ((393.75, 404.1),)),
    ("a toy pig", ((488.6, 495.2),)),
    ("a toy elephant", ()),
    ("Charlie Chaplin", ((353.9, 363.6),)),
    ("how many bottles are removed?", ((247.5, 287.4),)),
    ("a glass flower", ((187, 199.1),)),
    ("a bird comes after the marathon", ((418.8, 432.9),)),
    ("what comes after the puppy?", ((301, 331.5),)),
    ("people run", ((404, 409.1),)),
    ("an ambulance", ((404, 409.1),)),
    ("a fire truck", ()),
    ("somebody signs with their hands", ((525.3, 569.5),)),
    (
        "a woman in an orange sweater",
        (
            (529.5, 535),
            (541, 543.5),
            (551, 554),
            (563.5, 566),
        ),
    ),
    ("a man in a blue suit", ()),
    ("an astronaut in space", ()),
    ("someone rides a bicycle", ()),
    ("a frog jumps", ()),
    ("from the coffee to the pancake", ((331, 404.5),)),
    (
        "the man with the lanyard",
        (
            (528, 530),
            (544, 546),
            (550, 552),
            (558, 560),
            (562, 564),
        ),
    ),
    ("is there a swimming pool?", ()),
    ("the cockatoo eats", ()),
    ("a yellow flower", ()),
    ("a motorcycle", ()),
    ("a silver car", PASSING),
    ("somebody juggles with a football after 7 minutes", ((463, 473.4),)),
    ("a red toy", ((481, 489),)),
    ("the car crashes", ()),
    ("what is shown before the parrot?", ((404, 420.5),)),
    ("a green frog", ((199, 207.4),)),
    ("two dogs play", ()),
)

CAPTIONED = tuple(
    Labelled(video, query, truth or (), is_knowable=truth is not None, slack_s=SLACK_S)
    for video, rows in ((HEAD, _HEAD), (VISITOR, _VISITOR), (GALLERY, _GALLERY), (MIX, _MIX))
    for query, truth in rows
)
"""All of them."""
