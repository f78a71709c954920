"""Subtitle files as they are found: joined, written by hand, saved in the wrong way."""

from pathlib import Path

import pytest

from tools.errors import CaptionError
from tools.subtitles.files import read_subtitles

TIMES = ("00:00:01,000 --> 00:00:02,000", "00:00:03,000 --> 00:00:04,000")


def words(folder: Path, content: bytes | str, name: str = "a.srt") -> list[str]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [cue.text for cue in read_subtitles(path).cues]


def two_cues(first: str, second: str) -> str:
    return f"1\n{TIMES[0]}\n{first}\n\n2\n{TIMES[1]}\n{second}\n"


@pytest.mark.parametrize(
    ("first", "second", "encoding"),
    [
        ("Grüße aus Köln", "Schöne Grüße aus München", "cp1252"),
        ("Привет, как дела", "Пойдём в парк", "cp1251"),
        ("Noël à la café", "the café", "cp1252"),
    ],
)
def test_utf_8_and_another_encoding_in_one_file(
    tmp_path: Path, first: str, second: str, encoding: str
) -> None:
    head, tail = two_cues(first, second).split(first)
    content = head.encode() + first.encode() + tail.encode(encoding)
    assert words(tmp_path, content) == [first, second]
    warning = read_subtitles(tmp_path / "a.srt").warning or ""
    assert f"read as utf-8 and {encoding}; if letters are wrong, save it as UTF-8" in warning


@pytest.mark.parametrize(
    ("encoding", "first", "second"),
    [
        ("iso8859_5", "Привет, как дела?", "Спасибо за помощь."),
        ("iso8859_6", "مرحبا، كيف حالك؟", "شكرا على المساعدة."),
        ("cp1257", "Sveiki, kā jums klājas?", "Paldies par palīdzību."),
        ("utf-32-le", "Hello", "Grüße"),
        ("utf-32-be", "Hello", "Grüße"),
    ],
)
def test_rarer_encodings(tmp_path: Path, encoding: str, first: str, second: str) -> None:
    assert words(tmp_path, two_cues(first, second).encode(encoding)) == [first, second]


def test_a_bad_byte_in_iso_2022_spoils_no_more_than_its_place(tmp_path: Path) -> None:
    content = two_cues("こんにちは", "公園に行きましょう").encode("iso2022_jp")
    at = content.index(b"\x1b$B") + 5
    assert words(tmp_path, content[:at] + b"\xff" + content[at:]) == [
        "こんにちは",
        "公園に行きましょう",
    ]


def test_hebrew_with_a_bad_byte_is_hebrew(tmp_path: Path) -> None:
    content = two_cues("שלום, מה שלומך?", "תודה על העזרה.").encode("cp1255")
    at = content.rindex(b"\n", 0, -1) + 3
    first, second = words(tmp_path, content[:at] + b"\xff" + content[at:])
    assert first == "שלום, מה שלומך?"
    assert second.endswith("על העזרה.")


@pytest.mark.parametrize("arrow", ["->", "–>", "—>", "-- >", "- ->", "=>", "→"])
def test_other_arrows_are_read(tmp_path: Path, arrow: str) -> None:
    assert words(tmp_path, two_cues("a", "b").replace("-->", arrow)) == ["a", "b"]


@pytest.mark.parametrize(
    "times", ["00:00:01:500 --> 00:00:02:500", "00 : 00 : 01 , 500 --> 00 : 00 : 02 , 500"]
)
def test_times_with_a_colon_or_spaces_are_read(tmp_path: Path, times: str) -> None:
    assert words(tmp_path, f"1\n{times}\nhi\n") == ["hi"]
    cue = read_subtitles(tmp_path / "a.srt").cues[0]
    assert (cue.start_s, cue.end_s) == (1.5, 2.5)


@pytest.mark.parametrize("end", ["\r\r\n", "\n\n"])
def test_line_ends_that_were_doubled_are_no_problem(tmp_path: Path, end: str) -> None:
    assert words(tmp_path, two_cues("a", "b").replace("\n", end)) == ["a", "b"]
    assert read_subtitles(tmp_path / "a.srt").problems == ()


def test_a_new_line_of_sbv_is_no_word(tmp_path: Path) -> None:
    assert words(tmp_path, "0:00:01.000,0:00:02.000\nhi[br]you\n", "a.sbv") == ["hi you"]


@pytest.mark.parametrize(
    ("content", "format_name"),
    [
        ('<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body/></tt>', "TTML"),
        ("<SAMI><BODY><SYNC Start=1000><P>Hi</BODY></SAMI>", "SAMI"),
        ("{25}{50}Hello|you\n{75}{100}World\n", "MicroDVD"),
        ("[10][20]Hello\n[30][40]World\n", "MPL2"),
        ("[ar:Somebody]\n[00:01.00]Hello\n[00:03.50]World\n", "LRC"),
        ('{"events": [{"tStartMs": 0}]}', "JSON"),
    ],
)
def test_a_format_that_is_not_read_is_named_whatever_the_file_is_called(
    tmp_path: Path, content: str, format_name: str
) -> None:
    for name in ("a.srt", "a.txt"):
        with pytest.raises(CaptionError, match=f"holds {format_name}.*, which is not read; exp"):
            words(tmp_path, content, name)


FEW_WORDS = (
    ("pt", "cp860", ("Não sei onde está o meu irmão.", "Amanhã não há aulas, você sabia?")),
    ("is", "cp861", ("Hvað ertu að gera þarna á Alþingi?", "Góðan daginn.")),
    ("is", "mac_iceland", ("Ég veit það ekki, þetta er gott.", "Góðan daginn.")),
    ("ro", "mac_romanian", ("Nu știu ce să fac, îmi pare rău.", "Spune-mi și mie în oraș.")),
    ("pl", "iso8859_16", ("Gdzie byłeś wczoraj?", "Proszę, zrób to dziś.")),
    ("tr", "mac_turkish", ("Şimdi ne yapacağız?", "Işıkları kapatır mısın?")),
    ("hr", "mac_croatian", ("Ne znam što da učinim, već je kasno.", "Možeš li mi reći?")),
    ("ru", "mac_cyrillic", ("Я был дома, очень устал.", "Завтра мы поговорим ещё раз.")),
    ("uk", "mac_cyrillic", ("Де ти був учора ввечері?", "Завтра ми ще раз поговоримо.")),
    ("uk", "cp1125", ("Де ти був учора ввечері?", "Завтра ми ще раз поговоримо.")),
)


@pytest.mark.parametrize(("language", "encoding", "said"), FEW_WORDS)
def test_two_lines_tell_an_encoding_and_one_does_with_the_language_in_the_name(
    tmp_path: Path, language: str, encoding: str, said: tuple[str, str]
) -> None:
    assert words(tmp_path, two_cues(*said).encode(encoding)) == [*said]
    for line in said:
        content = f"1\n{TIMES[0]}\n{line}\n".encode(encoding)
        assert words(tmp_path, content, f"film.{language}.srt") == [line]


@pytest.mark.parametrize(
    ("name", "encoding", "line"),
    [
        ("film.hu.srt", "cp852", "Hol voltál tegnap este?"),
        ("film.hun.forced.srt", "mac_latin2", "Hol voltál tegnap este?"),
        ("film.de.srt", "mac_roman", "Das ist groß."),
        ("film.de-AT.vtt", "cp850", "Das ist groß."),
        ("film.cs.srt", "cp1250", "Kde jsi byl včera večer?"),
        ("film.pt-BR.srt", "cp860", "É só uma questão de opinião."),
        ("film.hebrew.srt", "cp862", "הכלב רץ אל הים והחתול ישן."),
        ("film.tr.srt", "iso8859_3", "Işıkları kapatır mısın?"),
        ("film.en.srt", "mac_roman", "“Hello,” he said."),
        ("film.el.srt", "cp869", "Πού ήσουν χθες το βράδυ;"),
    ],
)
def test_the_language_in_the_name_tells_the_encoding_of_one_short_line(
    tmp_path: Path, name: str, encoding: str, line: str
) -> None:
    head = "WEBVTT\n\n" if name.endswith("vtt") else "1\n"
    times = TIMES[0].replace(",", ".") if name.endswith("vtt") else TIMES[0]
    assert words(tmp_path, f"{head}{times}\n{line}\n".encode(encoding), name) == [line]
    warning = read_subtitles(tmp_path / name).warning or ""
    assert "if letters are wrong, save it as UTF-8" in warning


@pytest.mark.parametrize("name", ["film.pt.srt", "film.en.srt", "film.xx.srt", "film.zh.srt"])
def test_a_name_that_says_the_wrong_language_does_not_spoil_the_words(
    tmp_path: Path, name: str
) -> None:
    said = "Где вы были вчера вечером?", "Я был дома, очень устал."
    assert words(tmp_path, two_cues(*said).encode("cp1251"), name) == [*said]
