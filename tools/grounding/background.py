"""What similarities are usual: of a query with any caption, of a track with any query.

The same cosine means much for a rare query and little for a plain one; much among captions of
eighty words, which are close to nothing, and little among short ones. Both are measured on texts
about everyday things, so that no captioner and no style of question needs constants of its own.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.similarity import best_similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder

    Floats = NDArray[np.float64]

BACKGROUND = (
    "a man is cooking in a kitchen",
    "a woman is talking to the camera",
    "two people are walking down a street",
    "a dog is running on the grass",
    "a child is playing with a toy",
    "a person is driving a car",
    "people are sitting at a table and eating",
    "a group of people is dancing",
    "a man is playing a guitar",
    "a woman is putting on makeup",
    "a person is typing on a laptop",
    "a crowd is standing outside a building",
    "a boat is on the water",
    "a bird is sitting on a branch",
    "a man is lifting weights in a gym",
    "a woman is holding a baby",
    "someone is cutting vegetables with a knife",
    "a man in a suit is giving a speech",
    "children are playing football",
    "a cat is lying on a bed",
    "a train is arriving at a station",
    "a girl is riding a bicycle",
    "a person is climbing a rock",
    "a woman is shopping in a store",
    "a man is repairing a machine",
    "snow is falling on a mountain",
    "a person is swimming in a pool",
    "a plane is flying in the sky",
    "a doctor is looking at a patient",
    "a woman is painting a picture",
    "a man is reading a book",
    "text is shown on a screen",
    "a couple is sitting on a couch",
    "a horse is standing in a field",
    "police officers are beside a car",
    "a person is opening a box",
    "a woman is singing on a stage",
    "food is on a plate",
    "an empty room with furniture",
    "a man is looking at his phone",
)
"""Everyday things, as different as forty can be. With twenty of them presence is told as well, but
which twenty begins to matter; ten are too few."""

SPOKEN = (
    "you look nice in that dress",
    "what is your name?",
    "hello, how are you?",
    "see you tomorrow, goodbye",
    "wait for me, please",
    "let's go home now",
    "thank you very much",
    "I don't know what you mean",
    "where have you been all day?",
    "he told me that he was sorry",
    "we need to talk about money",
    "stop it, that is not funny",
    "can I have something to drink?",
    "my mother is coming to dinner",
    "come here and look at this",
    "she said she would call me back",
    "did you hear the news today?",
    "be careful, it's dangerous",
    "I was so happy when I got the job",
    "what are we going to do next?",
    "put it on the table over there",
    "he is dead, they killed him",
    "do you remember when we were young?",
    "welcome back to the show",
    "it takes about ten minutes",
    "the weather will be cold and wet",
    "turn left and then go straight on",
    "press the button and hold it down",
    "give me the keys to the car",
    "now we add a little salt and water",
    "I have never seen anything like it",
    "that was a really good joke",
    "in the year nineteen forty the war began",
    "our company has grown every year",
    "sit down and be quiet",
    "help, somebody call the police",
    "the second half starts in a moment",
    "is there anything else I can do for you?",
    "yes, of course you can",
    "no, I will never do that",
)
"""What is said every day: beside what is seen, all that is said stands out."""

_VECTORS: weakref.WeakKeyDictionary[Embedder, dict[bool, NDArray[np.float32]]] = (
    weakref.WeakKeyDictionary()
)


def background_of(embedder: Embedder, *, spoken: bool = False) -> NDArray[np.float32]:
    """The embeddings of ``BACKGROUND``, shape ``(40, d)``; an embedder makes them once.

    Args:
        embedder: The model.
        spoken: Whether captions are of what is said; then those of ``SPOKEN`` come with them.

    Raises:
        EmbedderError: If the model or service fails.
    """
    made = _VECTORS.setdefault(embedder, {})
    if spoken not in made:
        made[spoken] = embedder.embed((*BACKGROUND, *SPOKEN) if spoken else BACKGROUND)
    return made[spoken]


@dataclass(frozen=True, slots=True)
class Usual:
    """How similar a query and a track are to what has nothing to do with them.

    Attributes:
        query_mean: Mean cosine of the query and background texts.
        query_deviation: Its standard deviation.
        track_mean: Mean, over background texts, of how similar the track's most similar six
            seconds are; see ``tools.grounding.similarity.best_similarity``.
        track_deviation: Its standard deviation.
        most_by_query: Deviations from the query's mean that count at most.
    """

    query_mean: float
    query_deviation: float
    track_mean: float
    track_deviation: float
    most_by_query: float = float("inf")

    def deviations(self, similarity: Floats) -> Floats:
        """How many standard deviations a similarity is above what is usual, both added.

        The symmetric score normalisation of speaker verification ("S-norm"; Shum et al.,
        "Unsupervised Speaker Adaptation based on the Cosine Similarity", 2010).
        """
        by_query = (similarity - self.query_mean) / self.query_deviation
        by_track = (similarity - self.track_mean) / self.track_deviation
        return np.asarray(np.minimum(by_query, self.most_by_query) + by_track)


def likeness_of_track(
    background: NDArray[np.floating], parts: Sequence[tuple[NDArray[np.floating], Floats]]
) -> Floats:
    """How similar the most similar six seconds of each part of a track are to background texts.

    Args:
        background: Shape ``(b, d)``, unit embeddings by the same model.
        parts: Of each part the unit vectors of its cells, shape ``(n, d)``, and their weights,
            shape ``(n,)``.

    Returns:
        One of each part and text.
    """
    return np.concatenate(
        [
            best_similarity((background @ vectors.T).astype(np.float64), weight[None, :])
            for vectors, weight in parts
        ]
    )


def measure_usual(
    query_vector: NDArray[np.floating],
    background: NDArray[np.floating],
    by_track: Floats,
    *,
    least_deviation: float = 0.05,
) -> Usual:
    """Compare a query, and a track, with the background.

    Args:
        query_vector: Shape ``(d,)``.
        background: Shape ``(b, d)``, unit embeddings by the same model.
        by_track: From ``likeness_of_track``.
        least_deviation: See ``tools.grounding.presence.Calibration``.
    """
    norm = float(np.linalg.norm(query_vector)) or 1.0
    by_query = (background @ query_vector).astype(np.float64) / norm
    return Usual(
        float(by_query.mean()),
        max(float(by_query.std()), least_deviation),
        float(by_track.mean()),
        max(float(by_track.std()), least_deviation),
    )
