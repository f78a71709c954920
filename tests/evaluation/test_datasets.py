"""Datasets as their authors publish them: every row is a query, or is named as a bad line."""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evaluation.datasets.annotation_files import read_durations, read_text
from evaluation.datasets.query import Annotations
from evaluation.datasets.registry import DATASETS
from evaluation.results import BenchmarkError


def read(name: str, path: Path, durations_s: dict[str, float] | None = None) -> Annotations:
    return DATASETS[name].read(path, durations_s or {})


@dataclass(frozen=True)
class Published:
    """A file, and what is known to be in it."""

    dataset: str
    file: str
    queries: int
    videos: int
    first: tuple[str, str, float, list[float]]
    last: tuple[str, str, float, list[float]]
    cut: int = 0
    furthest_s: float = 0.0
    bad: tuple[str, ...] = field(default=())


PUBLISHED = [
    Published(
        "charades-sta",
        "formats/charades-sta/charades_sta_test.txt",
        3720,
        1334,
        ("3MSZA:0", "person turn a light on.", 30.96, [24.3, 30.4]),
        ("7JHW2:3", "person sets a laptop computer on a counter.", 19.96, [3.1, 8.3]),
        cut=562,
        furthest_s=1.5,
    ),
    Published(
        "charades-cd",
        "formats/charades-sta/charades_test_iid.json",
        823,
        333,
        # Published as 28.0 to 36.0.
        ("WXXYY:0", "person sits on the floor", 35.4375, [28.0, 35.4375]),
        ("AOQ7C:5", "person closes a door", 28.4375, [0.0, 6.0]),
        cut=151,
        furthest_s=1.3125,
    ),
    Published(
        "charades-cd",
        "formats/charades-sta/charades_test_ood.json",
        3372,
        1440,
        ("N14BK:0", "person put a notebook in a bag", 47.625, [39.3, 45.0]),
        ("JIOD0:0", "person tidying up the blanket", 30.6875, [5.3, 19.4]),
        cut=345,
        furthest_s=1.4375,
        bad=(
            "1: LEOL6, sentence 0: the window 7–8 s starts after the video has ended, at 6.375 s",
            "1: AKKWU, sentence 0: the window 13–38 s starts after the video has ended, at 12.3125",
            "1: AKKWU, sentence 1: the window 13–38 s starts after the video has ended, at 12.3125",
        ),
    ),
    Published(
        "charades-cg",
        "formats/charades-sta/novel_word.json",
        695,
        580,
        ("0QA8P:0", "the person undressed from all clothes.", 51.67, [7.3, 28.1]),
        ("4KK20:0", "person talking on their phone.", 30.67, [1.8, 13.7]),
        cut=109,
        furthest_s=1.46,
    ),
    Published(
        "charades-cg",
        "formats/charades-sta/novel_composition.json",
        3442,
        2480,
        ("AO8RW:0", "a person is putting a book on a shelf.", 33.67, [0.0, 6.9]),
        ("7JHW2:0", "a person runs into the garage.", 19.96, [0.0, 7.0]),
        cut=452,
        furthest_s=1.54,
    ),
    Published(
        "charades-cg",
        "formats/charades-sta/spl_test.json",
        3158,
        1225,
        ("3MSZA:0", "person turn a light on.", 30.96, [24.3, 30.4]),
        ("7JHW2:3", "person sets a laptop computer on a counter.", 19.96, [3.1, 8.3]),
    ),
    Published(
        "activitynet",
        "formats/activitynet/val_1.json",
        17505,
        4917,
        ("v_uqiMw7tQ1Cc:0", "A weight lifting tutorial is given.", 55.15, [0.28, 55.15]),
        (
            "v_5nOc03oiFvk:2",
            (
                "They show more areas of the nearby location as well as more people climbing up "
                "the rock and riding around the area."
            ),
            213.44,
            [118.46, 213.44],
        ),
        cut=5,
        furthest_s=0.01,
    ),
    Published(
        "activitynet",
        "formats/activitynet/val_2.json",
        17031,
        4885,
        (
            "v_uqiMw7tQ1Cc:0",
            (
                "Two men both dressed in athletic gear are standing and talking in an indoor "
                "weight lifting gym filled with other equipment."
            ),
            55.15,
            [0.0, 4.14],
        ),
        (
            "v_xabaKyhx7cg:2",
            "the man places the shoes in a bag and puts the bag in a washing machine.",
            121.53,
            [78.39, 121.53],
        ),
        cut=1,
        furthest_s=0.01,
    ),
    Published(
        "tacos",
        "formats/tacos/val.json",
        4436,
        27,
        # Frames 201 to 487 of 11,800, 29.4 a second.
        ("s34-d28.avi:0", "The person gets out a knife.", 11800 / 29.4, [201 / 29.4, 487 / 29.4]),
        ("s36-d70.avi:149", "He poured juice in glass", 7039 / 29.4, [4694 / 29.4, 5425 / 29.4]),
    ),
    Published(
        "tacos",
        "formats/tacos/test.json",
        4001,
        25,
        ("s30-d52.avi:0", "She took out kiwi", 7346 / 29.4, [141 / 29.4, 354 / 29.4]),
        (
            "s30-d29.avi:191",
            (
                "Slice the herbs into fine pieces with the knife and place the cut herbs on the "
                "plate, throw away any unwanted stems and put away the herbs."
            ),
            6099 / 29.4,
            [5788 / 29.4, 6066 / 29.4],
        ),
        cut=5,
        furthest_s=7 / 29.4,
    ),
    Published(
        "qvhighlights",
        "qvhighlights/val.jsonl",
        1550,
        1519,
        (
            "2579",
            "A girl and her mother cooked while talking with each other on facetime.",
            150.0,
            [82.0, 150.0],
        ),
        ("8420", "Footage of two eggs being fried on a small pan", 144.0, [0.0, 28.0]),
    ),
]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("published", PUBLISHED, ids=lambda one: Path(one.file).name)
def test_a_published_file_is_read_whole(published: Published, shared_data: Path) -> None:
    durations_s = read_durations(shared_data / "formats/charades-sta/Charades_v1_test.csv")
    annotations = read(published.dataset, shared_data / published.file, durations_s)
    queries = annotations.queries
    assert len(queries) == published.queries
    assert len({query.video_id for query in queries}) == published.videos
    assert len({query.qid for query in queries}) == len(queries)
    for query, (qid, text, duration_s, window) in (
        (queries[0], published.first),
        (queries[-1], published.last),
    ):
        assert (query.qid, query.text) == (qid, text)
        assert query.duration_s == pytest.approx(duration_s)
        assert query.windows[0].tolist() == pytest.approx(window)
    cuts_s = [query.cut_s for query in queries if query.cut_s]
    assert len(cuts_s) == published.cut
    assert max(cuts_s, default=0.0) == pytest.approx(published.furthest_s, abs=1e-3)
    assert len(annotations.bad) == len(published.bad)
    for line, expected in zip(annotations.bad, published.bad, strict=True):
        assert line.startswith(f"{shared_data / published.file}:{expected}")
    for query in queries:
        inside = (query.windows >= 0) & (query.windows <= query.known_duration_s)
        assert inside.all()
        assert (query.windows[:, 0] < query.windows[:, 1]).all()


@pytest.mark.slow
@pytest.mark.data
def test_charades_train_has_four_reversed_windows_and_no_durations(shared_data: Path) -> None:
    path = shared_data / "formats/charades-sta/charades_sta_train.txt"
    annotations = read("charades-sta", path)
    assert len(annotations.queries) == 12404
    assert {query.duration_s for query in annotations.queries} == {None}
    assert annotations.bad == (
        f"{path}:8252: the window 8–7 s ends before it starts",
        f"{path}:8440: the window 20.9–12 s ends before it starts",
        f"{path}:9623: the window 38–13 s ends before it starts",
        f"{path}:9624: the window 38–13 s ends before it starts",
    )
    # The numbers of a video's sentences count the bad ones too.
    others = [query.qid for query in annotations.queries if query.video_id == "AKKWU"]
    assert others == []


@pytest.mark.data
def test_what_was_labelled_by_hand_can_be_read_as_qvhighlights(shared_data: Path) -> None:
    annotations = read("qvhighlights", shared_data / "videos/ground_truth.jsonl")
    assert len(annotations.queries) == 28
    assert sum(len(query.windows) for query in annotations.queries) == 40


def test_sentences_are_on_one_line_without_blanks_around(tmp_path: Path) -> None:
    path = tmp_path / "val.json"
    path.write_text(video(sentences=[" She walks\nand  sings. "]))
    assert read("activitynet", path).queries[0].text == "She walks and sings."


def video(**change: Any) -> str:
    entry = {"duration": 30.0, "timestamps": [[1.0, 2.0]], "sentences": ["a dog"]} | change
    return json.dumps({"v": {key: value for key, value in entry.items() if value is not None}})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"timestamps": [[2.0, 1.0]]}, "v, sentence 0: the window 2–1 s ends before it starts"),
        ({"timestamps": [[2.0, 2.0]]}, "v, sentence 0: the window 2–2 s has no length"),
        ({"timestamps": [[-1, 2.0]]}, "v, sentence 0: the window -1–2 s starts before 0"),
        ({"timestamps": [[30, 31]]}, "starts after the video has ended, at 30 s"),
        ({"timestamps": [[20, 32.5]]}, "ends 2.5 s past the video's end at 30 s"),
        ({"timestamps": [[1, "x"]]}, "an end is 'x', not a number"),
        ({"timestamps": [[1, True]]}, "an end is True, not a number"),
        ({"timestamps": [[1, float("nan")]]}, "an end is nan, not a number"),
        ({"timestamps": [[1]]}, "a window is [1.0], not [start, end]"),
        ({"timestamps": [7]}, "a window is 7, not [start, end]"),
        ({"timestamps": {}}, "v: sentences and timestamps are no lists"),
        ({"timestamps": []}, "v: 1 sentences with 0 timestamps"),
        ({"timestamps": None}, "v: there is no 'timestamps'; expected"),
        ({"sentences": [" "]}, "v, sentence 0: the query is ' '"),
        ({"sentences": [None]}, "v, sentence 0: the query is None"),
        ({"sentences": ["\ud800"]}, "is no text"),
        ({"duration": None}, "v: there is no 'duration'; expected"),
        ({"duration": 0}, "the duration is 0 s"),
        ({"duration": "long"}, "the duration is 'long', not a number"),
    ],
)
def test_a_malformed_sentence_is_named_and_the_rest_kept(
    change: dict[str, Any], why: str, tmp_path: Path
) -> None:
    path = tmp_path / "val.json"
    good = {"w": {"duration": 9, "timestamps": [[0, 9]], "sentences": ["a cat"]}}
    path.write_text(json.dumps({**json.loads(video(**change)), **good}, indent=1))
    annotations = read("activitynet", path)
    assert [query.qid for query in annotations.queries] == ["w:0"]
    (line,) = annotations.bad
    assert line.startswith(f"{path}:2: v")
    assert why in line
    with pytest.raises(BenchmarkError, match=r"val\.json:2: v"):
        annotations.all_or_error()


def test_lines_are_counted_where_the_file_has_several(tmp_path: Path) -> None:
    path = tmp_path / "val.json"
    entry = {"duration": 9, "timestamps": [[3, 1]], "sentences": ["a cat"]}
    path.write_text(json.dumps({"a": entry, "b": entry}, indent=None).replace(', "b"', ',\n\n"b"'))
    first, second = read("charades-cg", path).bad
    assert (first.split(": ")[0], second.split(": ")[0]) == (f"{path}:1", f"{path}:3")


def test_a_video_that_stands_twice_is_an_error_and_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "val.json"
    path.write_text(video()[:-1] + ", " + video()[1:])
    with pytest.raises(BenchmarkError, match="'v' stands twice"):
        read("activitynet", path)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("AO8RW 0.0 6.9 a person", "not of the form VIDEO start end##sentence"),
        ("AO8RW 0.0##a person", "not of the form"),
        ("AO8RW 0.0 six##a person", "an end is 'six', not a number"),
        ("AO8RW 6.9 0.0##a person", "ends before it starts"),
        ("AO8RW 0.0 6.9##", "the query is ''"),
    ],
)
def test_a_malformed_line_of_charades_is_named(line: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    path.write_text(f"AO8RW 0.0 6.9##a person\n\n{line}\nAO8RW 0.0 6.9##a dog\r\n")
    annotations = read("charades-sta", path)
    assert [query.text for query in annotations.queries] == ["a person", "a dog"]
    (bad,) = annotations.bad
    assert bad.startswith(f"{path}:3: ")
    assert why in bad


def test_a_bad_line_does_not_change_the_numbers_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    path.write_text("V 0 1##a\nV 2 1##b\nV 0 2##c\n")
    assert [query.qid for query in read("charades-sta", path).queries] == ["V:0", "V:2"]


ROW: dict[str, Any] = {
    "qid": 7,
    "query": "a dog",
    "vid": "v",
    "duration": 5,
    "relevant_windows": [[0, 4]],
}

OTHER = ROW | {"qid": 8}


@pytest.mark.parametrize("name", ["qvhighlights", "charades-sta", "activitynet"])
def test_json_lines_are_read_in_order_gzipped_or_not(name: str, tmp_path: Path) -> None:
    content = json.dumps(ROW) + "\n\n" + json.dumps(ROW | {"qid": "x", "query": "a cat"})
    plain, packed = tmp_path / "val.jsonl", tmp_path / "val.jsonl.gz"
    plain.write_text("\ufeff" + content)
    packed.write_bytes(gzip.compress(content.encode()))
    for path in (plain, packed):
        first, second = read(name, path).queries
        assert (first.qid, first.text, first.duration_s) == ("7", "a dog", 5.0)
        assert (second.qid, second.where) == ("x", f"{path}:3")
        assert first.windows.tolist() == [[0.0, 4.0]]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"qid": 1}', "there is no 'query'; expected"),
        (json.dumps(OTHER | {"relevant_windows": []}), "there is no window"),
        (json.dumps(OTHER | {"relevant_windows": "0-4"}), "not a list of [start, end]"),
        (json.dumps(OTHER | {"relevant_windows": [[0, 10**400]]}), "not a number"),
        (json.dumps(OTHER | {"vid": ["v"]}), "the video's name is ['v']"),
        (json.dumps(ROW | {"qid": None}), "the qid is None"),
        (json.dumps(ROW), "the qid 7 is that of"),
    ],
)
def test_a_malformed_json_line_is_named(line: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "val.jsonl"
    path.write_text(json.dumps(ROW) + f"\n{line}\n")
    annotations = read("qvhighlights", path)
    assert len(annotations.queries) == 1
    (bad,) = annotations.bad
    assert bad.startswith(f"{path}:2: ")
    assert why in bad


def test_rows_of_the_same_query_are_its_windows(tmp_path: Path) -> None:
    table, lines = tmp_path / "own.csv", tmp_path / "own.jsonl"
    table.write_text(
        'end,video,query,start\n8,a.mp4,"a dog, wet",6\n4.5,a.mp4,a cat,1\n3,a.mp4,"a dog, wet",2\n'
    )
    rows = [("a dog, wet", 6, 8), ("a cat", 1, 4.5), ("a dog, wet", 2, 3)]
    lines.write_text(
        "".join(
            json.dumps({"video": "a.mp4", "query": query, "start": start, "end": end}) + "\n"
            for query, start, end in rows
        )
    )
    for path in (table, lines):
        dog, cat = read("own", path).queries
        assert (dog.qid, dog.text, dog.video_id) == ("a.mp4:0", "a dog, wet", "a.mp4")
        assert dog.windows.tolist() == [[2, 3], [6, 8]]
        assert (cat.qid, cat.windows.tolist(), cat.duration_s) == ("a.mp4:1", [[1, 4.5]], None)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.mp4,a man, running,3,5,", "more fields than columns; quote a text"),
        ("a.mp4,a dog,3", "a start or an end alone"),
        ("a.mp4,,3,5", "there is no 'query'"),
        ("a.mp4,a dog,0:73,5", "a start is '0:73', not a number"),
        ("a.mp4,a dog,1,2", "the same as"),
        ("a.mp4,a dog,4,5,9", "the duration is not that of"),
    ],
)
def test_a_malformed_label_of_ones_own_is_named(row: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"video,query,start,end,duration\na.mp4,a dog,1,2\n{row}\n")
    annotations = read("own", path)
    assert len(annotations.queries) == 1
    (bad,) = annotations.bad
    assert bad.startswith(f"{path}:3: ")
    assert why in bad


def test_a_table_without_its_columns_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("video,text,from,to\na.mp4,a dog,1,2\n")
    with pytest.raises(BenchmarkError, match=r"own\.csv:1: no column query, start, end"):
        read("own", path)


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_an_error(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text(content)
    with pytest.raises(BenchmarkError, match=r"empty\.jsonl"):
        read(name, path)


@pytest.mark.parametrize("name", DATASETS)
def test_a_file_that_is_missing_or_no_text_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"cannot read .*nothing\.jsonl"):
        read(name, tmp_path / "nothing.jsonl")
    path = tmp_path / "picture.jsonl"
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(BenchmarkError, match="not UTF-8 text"):
        read(name, path)


def test_a_file_of_another_dataset_is_told_from_a_few_bad_lines(tmp_path: Path) -> None:
    path = tmp_path / "val.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    with pytest.raises(BenchmarkError, match="no line of the file is any better"):
        read("own", path).all_or_error(hint="; --skip-bad")


def test_durations_are_read_by_video(tmp_path: Path) -> None:
    path = tmp_path / "lengths.csv"
    path.write_text("video,duration\nV,9.5\n")
    assert read_durations(path) == {"V": 9.5}
    annotations = tmp_path / "test.txt"
    annotations.write_text("V 1 10##a dog\nW 1 99##a cat\n")
    dog, cat = read("charades-sta", annotations, {"V": 9.5}).queries
    assert (dog.windows.tolist(), dog.cut_s) == ([[1, 9.5]], 0.5)
    assert (cat.duration_s, cat.cut_s) == (None, 0.0)
    with pytest.raises(BenchmarkError, match="the length of W is not known"):
        _ = cat.known_duration_s


@pytest.mark.parametrize(
    ("content", "why"),
    [("name,seconds\nV,9\n", ":1: the columns are name, seconds"), ("id,length\nV,long\n", ":2: ")],
)
def test_a_bad_table_of_durations_is_named(content: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "lengths.csv"
    path.write_text(content)
    with pytest.raises(BenchmarkError, match=f"lengths.csv{why}"):
        read_durations(path)


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(bytes(1 << 20)))
    monkeypatch.setattr("evaluation.datasets.annotation_files.MAX_TEXT_BYTES", 1000)
    with pytest.raises(BenchmarkError, match=r"holds more than 1,000 bytes"):
        read_text(path)
