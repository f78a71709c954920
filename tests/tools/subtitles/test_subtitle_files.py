"""Subtitle files: good cues are kept as plain words, and each that is not is named by its line."""

import unicodedata
from pathlib import Path

import pytest

from tools.errors import CaptionError
from tools.subtitles import timed_text
from tools.subtitles.files import find_sidecars, find_unreadable, read_subtitles
from tools.subtitles.timed_text import TimedText

Told = list[tuple[float, float, str]]


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def told(path: Path) -> Told:
    return [(cue.start_s, cue.end_s, cue.text) for cue in read_subtitles(path).cues]


def vtt(*cues: str) -> str:
    return "\n\n".join(("WEBVTT", *cues)) + "\n"


def text_of(folder: Path, words: str) -> str:
    return (
        read_subtitles(write(folder, "a.vtt", vtt(f"00:01.000 --> 00:02.000\n{words}")))
        .cues[0]
        .text
    )


def test_the_four_formats_say_the_same(tmp_path: Path) -> None:
    files = {
        "a.srt": "1\r\n00:00:01,500 --> 00:00:02,250\r\nHello\r\nthere\r\n",
        "a.vtt": vtt("00:01.500 --> 00:02.250 align:start position:0%\nHello\nthere"),
        "a.sbv": "0:00:01.500,0:00:02.250\nHello\nthere\n",
        "a.ass": "[Events]\nFormat: Layer, Start, End, Style, Name, Text\n"
        "Comment: 0,0:00:01.50,0:00:02.25,x,,not this\n"
        "Dialogue: 0,0:00:01.50,0:00:02.25,x,,Hello\\Nthere\n",
    }
    for name, text in files.items():
        assert told(write(tmp_path, name, text)) == [(1.5, 2.25, "Hello there")], name


def test_the_content_tells_the_format_and_not_the_name(tmp_path: Path) -> None:
    path = write(
        tmp_path, "a.srt", "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,Hi, you\n"
    )
    assert told(path) == [(1.0, 2.0, "Hi, you")]
    assert told(write(tmp_path, "b.txt", vtt("00:01.000 --> 00:02.000\nHi"))) == [(1.0, 2.0, "Hi")]


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("<b>Bold</b> and <c.yellow.bg_blue>coloured</c>", "Bold and coloured"),
        ("When <00:01.500>the moon<00:00:01.700> hits", "When the moon hits"),
        ("<v.loud Roger Bingham>We are in <i>New York</i>", "Roger Bingham: We are in New York"),
        ("<v Ann>Hi</v> <v Bob>Hello", "Ann: Hi Bob: Hello"),
        ("<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby>", "漢字"),
        ("{\\an8\\i1}Up{\\i0} here", "Up here"),
        ('<font color="#ff0000">Red</font>', "Red"),
        ("Tom &amp; Jerry &lt;3 &nbsp;&#9834;", "Tom & Jerry <3 ♪"),
        ("a < b > c <laughs> {sighs}", "a < b > c <laughs> {sighs}"),
        ("\u202bשלום\u202c\u200f!", "שלום!"),
        ("می\u200cروم", "می\u200cروم"),
    ],
)
def test_markup_goes_and_words_and_speakers_stay(tmp_path: Path, words: str, plain: str) -> None:
    assert text_of(tmp_path, words) == plain


def test_ass_keeps_words_and_speakers_and_no_drawings(tmp_path: Path) -> None:
    events = "\n".join(
        f"Dialogue: 0,0:00:0{number}.00,0:00:0{number + 1}.00,Default,{name},0,0,0,,{text}"
        for number, (name, text) in enumerate(
            [
                ("Olly", r"{\fad(1,2)\pos(3,4)}So,\Nwe meet{comment}"),
                ("", r"{\p1}m 0 0 l 10 10{\p0}"),
                ("", r"soft\hspace"),
            ]
        )
    )
    path = write(tmp_path, "a.ass", f"[Script Info]\nTitle: x\n\n[Events]\n{events}\n")
    assert told(path) == [(0.0, 1.0, "Olly: So, we meet"), (2.0, 3.0, "soft space")]
    assert read_subtitles(path).problems == ()


def test_comments_styles_regions_and_headers_are_no_words(tmp_path: Path) -> None:
    text = (
        "WEBVTT - a title\nKind: captions\nLanguage: pt-BR\nStyle:\n::cue { color: red }\n##\n\n"
        "NOTE one line\n\nNOTE\nseveral\nlines\n\nSTYLE\n::cue(b) { color: red }\n\n"
        "REGION\nid:fred\n\nthe name of it\n00:01.000 --> 00:02.000\nNOTE this is said\n"
    )
    read = read_subtitles(write(tmp_path, "a.vtt", text))
    assert [cue.text for cue in read.cues] == ["NOTE this is said"]
    assert (read.language, read.kind, read.warning) == ("pt-BR", "subtitles", None)


def test_each_broken_cue_is_named_by_its_line_and_the_others_are_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.vtt",
        vtt(
            "00:01.000 --> 00:02.000\ngood",
            "00:03.000 --> 00:0x.000\nunreadable",
            "00:05.000 --> 00:04.000\nbackwards",
            "nobody knows when",
            "00:06.000 --> 00:07.000",
            "00:99.000 --> 01:40.000\nno clock says so",
            "00:08.000 --> 00:09.000\nalso good",
        ),
    )
    read = read_subtitles(path)
    assert [cue.text for cue in read.cues] == ["good", "also good"]
    assert [problem.line for problem in read.problems] == [6, 9, 12, 14, 16]
    warning = str(read.warning)
    assert "\n" not in warning
    assert "2 cues kept, 5 problems" in warning
    for part in ("a.vtt:6 has times that", "a.vtt:9 ends at 4 s", "a.vtt:14 has times without"):
        assert part in warning
    assert "a.vtt:12 has words without times: 'nobody knows when'" in warning


def test_of_many_problems_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    cues = [f"00:0{number}.000 --> x\nwords" for number in range(8)]
    read = read_subtitles(write(tmp_path, "a.vtt", vtt("00:00.000 --> 00:01.000\nfirst", *cues)))
    assert str(read.warning).endswith("; and 3 more")


def test_words_of_subrip_may_have_an_empty_line_in_them(tmp_path: Path) -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nabove\n\nbelow\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nnext\n3\n00:00:05,000 --> 00:00:06,000\nno empty line\n"
    )
    assert told(write(tmp_path, "a.srt", text)) == [
        (1.0, 2.0, "above below"),
        (3.0, 4.0, "next"),
        (5.0, 6.0, "no empty line"),
    ]


def test_a_number_after_an_empty_line_is_a_word_where_the_next_cue_has_its_own(
    tmp_path: Path,
) -> None:
    times = ["00:00:01,000 --> 00:00:02,000", "00:00:03,000 --> 00:00:04,000"]
    text = f"1\n{times[0]}\n\n42\n\n2\n{times[1]}\nSecond\n"
    read = read_subtitles(write(tmp_path, "a.srt", text))
    assert [(cue.start_s, cue.text) for cue in read.cues] == [(1.0, "42"), (3.0, "Second")]


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_words_after_an_empty_first_line_are_not_lost(tmp_path: Path, suffix: str) -> None:
    times = ["00:00:01.000 --> 00:00:02.000", "00:00:03.000 --> 00:00:04.000"]
    head = "WEBVTT\n\n" if suffix == "vtt" else "1\n"
    text = f"{head}{times[0]}\n\nHello there\nfriend\n\n2\n{times[1]}\n \n\nSecond\n"
    read = read_subtitles(write(tmp_path, f"a.{suffix}", text))
    assert [(cue.start_s, cue.text) for cue in read.cues] == [
        (1.0, "Hello there friend"),
        (3.0, "Second"),
    ]
    assert not read.problems


def test_rolling_captions_with_an_empty_first_line_come_when_they_came(tmp_path: Path) -> None:
    text = (
        "1\n00:00:00,000 --> 00:00:03,300\n\nhello there\n\n"
        "2\n00:00:03,300 --> 00:00:05,000\nhello there\nmy friend\n\n"
        "3\n00:00:05,000 --> 00:00:06,000\n\n4\n00:00:06,000 --> 00:00:07,000\nbye\n"
    )
    read = read_subtitles(write(tmp_path, "a.srt", text))
    found = [(cue.start_s, cue.text) for cue in read.cues]
    assert found == [(0.0, "hello there"), (3.3, "my friend"), (6.0, "bye")]
    assert [(one.line, one.what) for one in read.problems] == [(12, "has times without words")]


@pytest.mark.parametrize(
    "words",
    [
        "press File --> Open to go on",
        "first\n10:30 --> lunch",
        "a --> b",
        "-->",
        "first\n--> then this",
        "from 10:30 --> 11:00",
        "first\n10:30 --> 11:00",
        "x --> 5",
    ],
)
@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_an_arrow_among_words_is_one_of_them(tmp_path: Path, suffix: str, words: str) -> None:
    head = "WEBVTT\n\n" if suffix == "vtt" else "1\n"
    text = f"{head}00:00:01.000 --> 00:00:02.000\n{words}\nand wait\n\n2\n"
    text += "00:00:03.000 --> 00:00:04.000\nSecond\n00:00:05.000 --> 00:00:06.000\nThird\n"
    read = read_subtitles(write(tmp_path, f"a.{suffix}", text))
    expected = f"{words} and wait".replace("\n", " ")
    assert [cue.text for cue in read.cues] == [expected, "Second", "Third"]
    assert not read.problems


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_each_segment_of_a_stream_says_where_its_times_are(tmp_path: Path, gap: str) -> None:
    maps = [
        "MPEGTS:900000,LOCAL:00:00:00.000",
        "LOCAL:00:00:02.000,MPEGTS:1980000",
        # The clock of the stream has run over.
        f"MPEGTS:{(900_000 + 30 * 90_000) % (1 << 33)},LOCAL:00:00.000",
    ]
    segments = [
        f"WEBVTT\nX-TIMESTAMP-MAP={one}\n\n00:00:02.000 --> 00:00:04.000\n{name} part"
        for one, name in zip(maps, ("first", "second", "third"), strict=True)
    ]
    read = read_subtitles(write(tmp_path, "a.vtt", gap.join(segments)))
    starts = [(cue.start_s, cue.text) for cue in read.cues]
    assert starts == [(2.0, "first part"), (12.0, "second part"), (32.0, "third part")]
    assert not read.problems
    late = segments[0].replace("MPEGTS:900000", f"MPEGTS:{(1 << 33) - 90_000}")
    read = read_subtitles(write(tmp_path, "b.vtt", f"{late}\n\n{segments[0]}"))
    assert [cue.start_s for cue in read.cues] == [2.0, 13.0]


def test_a_segments_place_is_read_below_an_empty_line_and_damaged_ones_are_no_place(
    tmp_path: Path,
) -> None:
    def starts(name: str, *ticks: str) -> list[float]:
        segments = [
            f"WEBVTT\n\nX-TIMESTAMP-MAP=MPEGTS:{one},LOCAL:00:00:00.000\n\n"
            f"00:00:02.000 --> 00:00:04.000\npart {part}"
            for part, one in enumerate(ticks)
        ]
        read = read_subtitles(write(tmp_path, name, "\n\n".join(segments)))
        assert not read.problems
        return [cue.start_s for cue in read.cues]

    assert starts("a.vtt", "900000", "1800000") == [2.0, 12.0]
    assert starts("b.vtt", "99999999999999", "1800000") == [2.0, 2.0]


def test_rolling_captions_are_said_once_and_when_they_came(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.vtt",
        vtt(
            "00:01.000 --> 00:03.000\n \nso this<00:01.500><c> is</c>",
            "00:03.000 --> 00:03.010\nso this is\n ",
            "00:03.010 --> 00:05.000\nso this is\nhow<00:04.000><c> it</c><c> looks</c>",
            "00:05.000 --> 00:05.010\nhow it looks\n ",
        ),
    )
    assert told(path) == [(1.0, 3.01, "so this is"), (3.01, 5.01, "how it looks")]


def test_karaoke_and_effects_drawn_in_layers_become_one_cue(tmp_path: Path) -> None:
    growing = vtt(
        "00:01.000 --> 00:02.000\none",
        "00:02.000 --> 00:03.000\none two",
        "00:03.000 --> 00:04.000\none two three",
    )
    assert told(write(tmp_path, "a.vtt", growing)) == [(1.0, 4.0, "one two three")]
    layers = vtt(
        "00:01.000 --> 00:02.000\nSHOP",
        "00:01.000 --> 00:02.500\nBob talks",
        "00:02.000 --> 00:03.000\nSHOP",
    )
    assert told(write(tmp_path, "a.vtt", layers)) == [(1.0, 3.0, "SHOP"), (1.0, 2.5, "Bob talks")]


def test_a_text_that_grows_after_another_layer_was_drawn_grows_in_its_own_place(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path,
        "a.vtt",
        vtt(
            "00:01.000 --> 00:02.000\nSHOP",
            "00:01.000 --> 00:02.500\nBob talks",
            "00:02.000 --> 00:03.000\nSHOP",
            "00:03.000 --> 00:04.000\nSHOP closed",
        ),
    )
    assert told(path) == [(1.0, 4.0, "SHOP closed"), (1.0, 2.5, "Bob talks")]


@pytest.mark.parametrize("more", ["<rt>", "<v " + " " * 1000, "word ", "{\\p1}", "&amp"])
def test_what_is_longer_than_any_cue_is_cut(tmp_path: Path, more: str) -> None:
    words = "Hello " + more * (1_000_000 // len(more))
    for name, text in (
        ("a.srt", f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n"),
        ("a.ass", f"[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,{words}\n"),
    ):
        (cue,) = read_subtitles(write(tmp_path, name, text)).cues
        assert cue.text.startswith("Hello")
        assert len(cue.text) <= 10_001


def test_the_same_words_later_and_other_words_meanwhile_stay_apart(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.vtt",
        vtt(
            "00:01.000 --> 00:02.000\nNo.",
            "00:04.000 --> 00:05.000\nNo.",
            "00:04.500 --> 00:06.000\nYes.",
        ),
    )
    assert told(path) == [(1.0, 2.0, "No."), (4.0, 5.0, "No."), (4.5, 6.0, "Yes.")]


def test_chapters_are_named_so_and_data_for_programs_is_refused(tmp_path: Path) -> None:
    chapters = vtt("00:00.000 --> 10:00.000\nPrologue")
    read = read_subtitles(write(tmp_path, "film.chapters.en.vtt", chapters))
    assert (read.kind, read.cues[0].text) == ("chapters", "Chapter: Prologue")
    in_header = chapters.replace("WEBVTT", "WEBVTT\nKind: chapters")
    assert read_subtitles(write(tmp_path, "a.vtt", in_header)).kind == "chapters"
    for data in ('{"lat": 1}', "thumbs.jpg#xywh=0,0,160,90"):
        path = write(tmp_path, "a.vtt", vtt(f"00:00.000 --> 00:05.000\n{data}"))
        with pytest.raises(CaptionError, match="data for programs"):
            read_subtitles(path)


WORDS = {
    "zh": "宇宙守护神保护我们远离邪恶他能徒手抓住子弹",
    "ja": "左に見えるのは…すべて安全。完璧に安全だ。危ない！",
    "ru": "Где вы были вчера вечером? Я был дома, очень устал.",
    "fr": "Où étiez-vous hier soir ? J'étais à la maison, très fatigué. Ça va, mon frère.",
    "pl": "Gdzie byłeś wczoraj wieczorem? Byłem w domu, bardzo zmęczony.",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *(("ru", form) for form in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")),
        *(("fr", form) for form in ("utf-32", "utf-16-le", "cp1252")),
        *(("zh", form) for form in ("gb2312", "gb18030", "utf-16-be")),
        *(("ja", form) for form in ("shift_jis", "euc_jp")),
        *(("ru", form) for form in ("cp1251", "koi8-r")),
        ("pl", "cp1250"),
    ],
)
def test_words_are_read_in_any_usual_encoding_and_a_guess_is_called_one(
    tmp_path: Path, language: str, encoding: str
) -> None:
    words = WORDS[language]
    text = f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n\n"
    read = read_subtitles(write(tmp_path, "a.srt", text.encode(encoding)))
    assert [cue.text for cue in read.cues] == [words]
    assert read.encoding_is_guessed == (not encoding.startswith("utf"))
    assert (
        "if letters are wrong, save it as UTF-8" in str(read.warning)
    ) == read.encoding_is_guessed


LINES = {
    "zh": [WORDS["zh"], "你昨天晚上在哪里？", "我在家里，很累。"],
    "zh-hant": ["你昨天晚上在哪裡？我在家裡。", "我們明天再談這個問題吧。他說他不會來了。"],
    "ja": [WORDS["ja"], "昨日の夜はどこにいたの？", "家にいました。とても疲れていました。"],
    "ko": ["어젯밤에 어디 있었어?", "집에 있었어요, 아주 피곤했어요.", "내일 다시 이야기합시다."],
    "th": ["เมื่อคืนคุณอยู่ที่ไหน", "ฉันอยู่บ้าน เหนื่อยมาก"],
    "ru": [WORDS["ru"], "Завтра мы поговорим об этом ещё раз."],
    "lt": ["Aš buvau namuose, labai pavargęs.", "Žmonės sėdi prie stalo ir šneka, ačiū už viską."],
    "lv": ["Rīt mēs par to vēlreiz runāsim, paldies par visu.", "Es biju mājās, ļoti noguris."],
    "el": ["Πού ήσουν χθες το βράδυ;", "Ήμουν στο σπίτι, πολύ κουρασμένος."],
    "tr": ["Dün gece neredeydin?", "Yarın bunu tekrar konuşacağız, şimdi değil."],
    # Of these letters, all are Icelandic in the commonest encoding.
    "tr-few": ["Bu akşam nereye gidiyorsun?", "İyi geceler, ağabey, köpek koşuyor."],
    "is": ["Ég veit það ekki, þetta er gott.", "Hvað ertu að gera þarna á Alþingi?"],
    "he": ["לאן אתה הולך הערב?", "אני לא יודע, אולי הביתה.", "הכלב רץ אל הים והחתול ישן."],
}


def in_cues(lines: list[str], encoding: str) -> bytes:
    text = "".join(
        f"{number}\n00:00:{number:02},000 --> 00:00:{number + 1:02},000\n{line}\n\n"
        for number, line in enumerate(lines, start=1)
    )
    return text.encode(encoding)


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("th", "cp874"),
        ("ru", "cp866"),
        ("ru", "cp1251"),
        ("lt", "cp1257"),
        ("lv", "cp1257"),
        ("ja", "iso2022_jp"),
        ("ko", "euc_kr"),
        ("zh-hant", "big5"),
        ("el", "cp1253"),
        ("tr", "cp1254"),
        ("tr-few", "cp1254"),
        ("is", "cp1252"),
    ],
)
def test_less_usual_encodings_are_read_too(tmp_path: Path, language: str, encoding: str) -> None:
    lines = LINES[language]
    read = read_subtitles(write(tmp_path, "a.srt", in_cues(lines, encoding)))
    assert [cue.text for cue in read.cues] == lines


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("zh", "gb18030"),
        ("ja", "shift_jis"),
        ("ja", "euc_jp"),
        ("ja", "iso2022_jp"),
        ("ko", "euc_kr"),
        ("zh-hant", "big5"),
        ("th", "cp874"),
        ("he", "cp1255"),
    ],
)
@pytest.mark.parametrize("bad", [b"\xff", b"\x80", None], ids=str)
def test_one_bad_byte_or_a_cut_end_spoils_one_line_at_most(
    tmp_path: Path, language: str, encoding: str, bad: bytes | None
) -> None:
    lines = LINES[language]
    content = in_cues(lines, encoding)
    if bad is None:
        content = content.rstrip(b"\n")[:-1]
    else:
        # Within the words of the first cue.
        at = content.index(lines[0].encode(encoding)) + 6
        content = content[:at] + bad + content[at + 1 :]
    read = read_subtitles(write(tmp_path, "a.srt", content))
    texts = [cue.text for cue in read.cues]
    spoilt = len(lines) - 1 if bad is None else 0
    assert len(texts) == len(lines)
    for number, (text, line) in enumerate(zip(texts, lines, strict=True)):
        assert text[:1] == line[:1]
        assert number == spoilt or text == line


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("שלום", "cp1255"),
        ("מה שלומך?", "cp1255"),
        ("יש לנו בעיה", "cp1255"),
        ("לילה טוב", "iso8859_8"),
        ("שָׁלוֹם", "cp1255"),
        # Of the same bytes, with other ends.
        ("Привет, мой друг", "cp1251"),
        ("привет мой друг", "cp1251"),
        ("ПРИВЕТ МОЙ ДРУГ", "koi8_r"),
    ],
)
def test_a_few_words_of_hebrew_are_told_from_russian_by_how_words_end(
    tmp_path: Path, words: str, encoding: str
) -> None:
    path = tmp_path / "few.srt"
    path.write_bytes(f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n".encode(encoding))
    assert [cue.text for cue in read_subtitles(path).cues] == [words]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_unicode_whose_end_is_cut_off_is_still_read(tmp_path: Path, encoding: str) -> None:
    content = in_cues(LINES["th"], encoding).rstrip(b"\n\0")
    read = read_subtitles(write(tmp_path, "a.srt", content[:-1]))
    assert read.cues[0].text == LINES["th"][0]
    assert read.cues[1].text[:-1] == LINES["th"][1][: len(read.cues[1].text) - 1]


@pytest.mark.data
def test_reported_files_are_read_whole(shared_data: Path) -> None:
    cases = shared_data / "cases" / "media"
    read = {
        name: [(cue.start_s, cue.text) for cue in read_subtitles(cases / name).cues]
        for name in ("arrow.srt", "blank_first_line.srt", "hls.vtt", "enc_th874.srt")
    }
    assert read == {
        "arrow.srt": [(1.0, "press File --> Open to continue and then wait"), (3.0, "Second")],
        "blank_first_line.srt": [(1.0, "Hello there friend"), (3.0, "Second")],
        "hls.vtt": [(2.0, "first segment"), (12.0, "second segment")],
        "enc_th874.srt": [(0.0, "วันนี้เราจะไปไหนกัน"), (2.0, "ฉันไม่รู้"), (4.0, "สุนัขวิ่งไปทะเล")],
    }


@pytest.mark.parametrize("bad", [b"\xff", b"\x81", b"\xe9"])
def test_one_bad_byte_in_plain_english_is_no_other_alphabet(tmp_path: Path, bad: bytes) -> None:
    content = b"1\n00:00:01,000 --> 00:00:02,000\nplain words with one " + bad + b" bad byte\n"
    read = read_subtitles(write(tmp_path, "a.srt", content))
    assert read.encoding == "cp1252"
    assert read.cues[0].text.endswith(" bad byte")


def test_utf8_with_a_broken_character_is_still_utf8(tmp_path: Path) -> None:
    words = (WORDS["fr"] * 3).encode().replace("Ç".encode(), b"\xc3", 1)
    path = write(tmp_path, "a.srt", b"1\n00:00:01,000 --> 00:00:02,000\n" + words)
    read = read_subtitles(path)
    assert "mon frère" in read.cues[0].text
    assert (read.encoding, read.encoding_is_guessed) == ("utf-8", True)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\x00\x00\x00\x1cftypisom\x00\x00\x02\x00isomiso2avc1mp41" * 50, "is it the video"),
        (b"\xff\xfe\x00", "is not text"),
        (b"some words", "holds no subtitle that can be used"),
        (b"WEBVTT\n", "holds no subtitle that can be used; expected SubRip"),
        (b"1\n00:00:03,000 --> 00:00:01,000\nx\n", r"1 problem: a\.srt:2 ends at 1 s"),
    ],
)
def test_what_is_no_subtitle_file_is_refused_in_one_line(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = write(tmp_path, "a.srt", content)
    with pytest.raises(CaptionError, match=complaint) as error:
        read_subtitles(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_a_folder_and_one_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptionError, match="No such file"):
        read_subtitles(tmp_path / "missing.srt")
    with pytest.raises(CaptionError, match="cannot read"):
        read_subtitles(tmp_path)
    with pytest.raises(CaptionError, match="holds no subtitle times"):
        read_subtitles(write(tmp_path, "a.txt", "Dear diary"))


def test_a_huge_file_is_not_read_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(CaptionError, match=r"105 MB.*is it the video"):
        read_subtitles(path)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("talk.en.vtt", "en"),
        ("talk.pt-BR.forced.srt", "pt-BR"),
        ("talk.en.hi.srt", "en"),
        ("talk.hi.srt", "hi"),
        ("talk.ger.srt", "ger"),
        ("talk.srt", None),
        ("my.cut.srt", None),
        ("en.srt", None),
    ],
)
def test_the_name_tells_the_language(tmp_path: Path, name: str, language: str | None) -> None:
    path = write(tmp_path, name, "1\n00:00:01,000 --> 00:00:02,000\nx\n")
    assert read_subtitles(path).language == language


def test_files_named_like_the_video_are_found_and_those_of_another_video_are_not(
    tmp_path: Path,
) -> None:
    names = "talk.mp4 talk.srt talk.en.VTT talk.de.forced.ass talk.txt talk.en.json talks.srt"
    others = "talk.part2.mp4 talk.part2.srt talk.part2.en.srt talk.part2.ttml [a]*.mp4 [a]*.srt"
    for name in f"{names} {others}".split():
        write(tmp_path, name, "x")
    found = [path.name for path in find_sidecars(tmp_path / "talk.mp4")]
    assert found == ["talk.srt", "talk.de.forced.ass", "talk.en.VTT"]
    second = [path.name for path in find_sidecars(tmp_path / "talk.part2.mp4")]
    assert second == ["talk.part2.srt", "talk.part2.en.srt"]
    assert [path.name for path in find_sidecars(tmp_path / "[a]*.mp4")] == ["[a]*.srt"]
    assert find_sidecars(tmp_path / "nowhere" / "talk.mp4") == []


@pytest.mark.parametrize("name", ["talk.ttml", "talk.en.SMI", "talk.sub", "talk.lrc"])
def test_a_file_of_a_format_that_cannot_be_read_is_found_too(tmp_path: Path, name: str) -> None:
    for other in ("talk.mp4", "talk.srt", "talks.ttml", name):
        write(tmp_path, other, "x")
    assert find_unreadable(tmp_path / "talk.mp4") == [tmp_path / name]


CUES_AND_LINES = {
    # Cues kept, and the lines named.
    "elephantsdream.captions.ar.vtt": (77, []),
    "elephantsdream.captions.en.vtt": (78, []),
    "elephantsdream.captions.ja.vtt": (77, []),
    "elephantsdream.chapters.en.vtt": (9, []),
    "elephantsdream.descriptions.en.vtt": (63, []),
    "srt/ascii.srt": (3, []),
    "srt/gb2312.srt": (3, []),
    "webvtt-py/captions_with_bom.vtt": (4, []),
    "webvtt-py/comments.vtt": (3, []),
    "webvtt-py/cue_tags.vtt": (3, []),
    "webvtt-py/invalid.vtt": (7, [1]),
    "webvtt-py/invalid_timeframe.sbv": (3, [7, 13]),
    "webvtt-py/invalid_timeframe.srt": (5, []),
    "webvtt-py/invalid_timeframe.vtt": (6, [6]),
    "webvtt-py/invalid_timeframe_in_cue_text.vtt": (3, [6]),
    "webvtt-py/metadata_headers.vtt": (2, []),
    "webvtt-py/metadata_headers_multiline.vtt": (2, []),
    "webvtt-py/missing_caption_text.sbv": (3, [4, 12]),
    "webvtt-py/missing_caption_text.srt": (4, [6]),
    "webvtt-py/missing_caption_text.vtt": (4, [6]),
    "webvtt-py/missing_timeframe.sbv": (3, [4, 12]),
    "webvtt-py/missing_timeframe.srt": (4, [5]),
    "webvtt-py/missing_timeframe.vtt": (6, [6]),
    "webvtt-py/one_caption.srt": (1, []),
    "webvtt-py/one_caption.vtt": (1, []),
    "webvtt-py/sample.sbv": (4, [14]),
    "webvtt-py/sample.srt": (5, []),
    "webvtt-py/sample.vtt": (16, []),
    "webvtt-py/styles.vtt": (1, []),
    "webvtt-py/two_captions.sbv": (2, []),
    "webvtt-py/using_identifiers.vtt": (6, []),
    "webvtt-py/youtube_dl.vtt": (3, []),
}

UNUSABLE = {
    "webvtt-py/empty.vtt",
    "webvtt-py/invalid_format.sbv",
    "webvtt-py/invalid_format1.srt",
    "webvtt-py/invalid_format2.srt",
    "webvtt-py/invalid_format3.srt",
    "webvtt-py/invalid_format4.srt",
    "webvtt-py/no_captions.vtt",
}


@pytest.mark.data
def test_every_published_file_is_read_as_far_as_it_is_good(shared_data: Path) -> None:
    folder = shared_data / "formats" / "subtitles"
    found, refused = {}, {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        try:
            read = read_subtitles(path)
        except CaptionError as error:
            refused[name] = str(error)
            continue
        found[name] = (len(read.cues), [problem.line for problem in read.problems])
        words = " ".join(cue.text for cue in read.cues)
        assert not any(mark in words for mark in ("-->", "NOTE", "<c", "<0", "::cue")), name
    assert found == CUES_AND_LINES
    assert set(refused) == UNUSABLE
    for name, message in refused.items():
        assert name in message
        assert "\n" not in message
    chinese = read_subtitles(folder / "srt" / "gb2312.srt")
    assert chinese.cues[0].text == "宇宙守护神 保护我们远离邪恶"
    assert chinese.encoding == "gb18030"


@pytest.mark.slow
def test_a_cue_of_a_hundred_thousand_paragraphs_is_put_together_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengthen, joined = timed_text._lengthen, []

    def note(found: TimedText, last: int | None, more: list[str]) -> None:
        joined.append(len(more))
        lengthen(found, last, more)

    monkeypatch.setattr(timed_text, "_lengthen", note)
    path = tmp_path / "words.srt"
    words = "\n\n".join(["ab"] * 130_000)
    path.write_text(
        f"1\n00:00:00,000 --> 00:00:05,000\n{words}\n\n2\n00:00:06,000 --> 00:00:07,000\nx"
    )
    long, after = read_subtitles(path).cues
    assert long.text.startswith("ab ab ab")
    assert long.text.endswith("ab…")
    assert len(long.text) <= 10_001
    assert after.text == "x"
    assert [count for count in joined if count] == [129_999], "its time grows with its length"


GERMAN = ("Wir müssen über die Brücke.", "Können Sie das Mädchen hören?")
OLD_WORDS = (
    *(("de", encoding, GERMAN) for encoding in ("cp850", "cp437", "mac_roman")),
    ("fr", "cp850", ("Où étais-tu hier ?", "Ça n'est pas déjà arrivé.")),
    ("fr", "mac_roman", ("Où étais-tu hier ?", "Le garçon a mangé un gâteau à la fête.")),
    ("es", "cp437", ("¿Dónde está el niño?", "Mañana será otro día, señor.")),
    ("it", "cp850", ("Perché non è venuto ieri?", "La città è già piena di gente.")),
    ("da", "cp865", ("Hvad går du og tænker på?", "Drengen så en rød bil på gaden.")),
    ("fi", "mac_roman", ("Mitä sinä täällä teet?", "Hyvää yötä, äiti, nähdään päivällä.")),
    ("pl", "cp852", ("Proszę, zrób to dziś.", "Chłopiec zjadł żółte jabłko.")),
    ("tr", "cp857", ("Şimdi ne yapacağız?", "Işıkları kapatır mısın?")),
    ("el", "cp737", ("Δεν ξέρω πού είναι τώρα.", "Πρέπει να φύγουμε αμέσως.")),
    (
        "vi",
        "cp1258",
        ("Cô â\u0301y râ\u0301t đe\u0323p.", "Xin lô\u0303i, tôi đê\u0301n muô\u0323n."),
    ),
)


@pytest.mark.parametrize(("language", "encoding", "lines"), OLD_WORDS)
def test_words_in_encodings_of_dos_and_the_macintosh_are_read(
    tmp_path: Path, language: str, encoding: str, lines: tuple[str, str]
) -> None:
    content = "".join(
        f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{line}\n\n" for n, line in enumerate(lines)
    )
    read = read_subtitles(write(tmp_path, f"a.{language}.srt", content.encode(encoding)))
    said = [cue.text for cue in read.cues]
    assert said == [unicodedata.normalize("NFC", line) for line in lines]


def test_bytes_that_fit_no_language_well_are_not_shown_as_text(tmp_path: Path) -> None:
    """Half-way words would be worse than none: they would be searched and quoted."""
    words = "لا أعرف أين هو الآن صباح الخير كيف حالك".encode("cp720")
    content = b"1\n00:00:01,000 --> 00:00:02,000\n" + words + b"\n"
    with pytest.raises(CaptionError, match="in no encoding"):
        read_subtitles(write(tmp_path, "a.srt", content))
