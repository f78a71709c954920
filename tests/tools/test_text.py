"""Text that is printed: it steers no terminal, and gives no password away."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import StoreError
from tools.text import counted, printable, printable_json, shown_address, without_passwords

HOSTILE = "a\x1b[31mred\x07\x9b2J\r\u202egpj.exe\u2066\u200b\ufeff\udcff\u2028b\x00\x7f"


def is_safe(text: str) -> bool:
    return not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text)


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert printable("a\x1b[31mb\u202ec\r") == "a\\x1b[31mb\\u202ec\\r"
    assert is_safe(printable(HOSTILE))


def test_lines_and_the_letters_of_all_scripts_stay() -> None:
    for text in (
        "two\n\tlines",
        "می‌خواهم",
        "👩‍👩‍👧",
        "سورة ۝ ٢",
        "日本語",
        "Ünïcode – “quoted” █·",
    ):
        assert printable(text) == text


@given(st.text())
def test_no_text_at_all_steers_a_terminal(text: str) -> None:
    shown = printable(text).replace("\n", "").replace("\t", "")
    assert all(char in "\u200c\u200d" or is_safe(char) or char >= "\u0600" for char in shown)
    assert "\x1b" not in shown
    assert "\u202e" not in shown


NAMES = ["x-a-token", "token", '"token"', "api_key", "password", "Authorization", "cookie", "sk-"]


@given(
    st.dictionaries(
        st.sampled_from(NAMES) | st.text(max_size=3),
        st.lists(st.sampled_from([*NAMES, ":", "=", '"', "\\", " ", ",", "Bearer ", "1" * 17])),
        max_size=3,
    )
)
def test_json_without_passwords_is_json_with_the_same_fields(values: dict[str, list[str]]) -> None:
    plain = {name: "".join(parts) for name, parts in values.items()} | {"beside": 12345678}
    shown = json.loads(printable_json(json.dumps(plain)))
    assert list(shown) == list(plain)
    assert shown["beside"] == 12345678


@given(st.dictionaries(st.text(), st.text()))
def test_json_stays_the_same_json_wherever_it_is_printed(values: dict[str, str]) -> None:
    raw = json.dumps(values, ensure_ascii=False)
    for ascii_only in (False, True):
        shown = printable_json(raw, ascii_only=ascii_only)
        if "://" not in raw:
            assert json.loads(shown) == values
        assert not ascii_only or shown.isascii()


def test_json_holds_nothing_that_steers_a_terminal() -> None:
    raw = json.dumps({"name": HOSTILE}, ensure_ascii=False)
    assert is_safe(printable_json(raw))
    assert json.loads(printable_json(raw)) == {"name": HOSTILE}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:secret@host:8000/v1", "http://…@host:8000/v1"),
        ("https://secret@host", "https://…@host"),
        ("no answer from http://u:s@crt@host, sorry", "no answer from http://…@host, sorry"),
        ("http://u:se/cret@host/v1", "http://…@host/v1"),
        ("http://u:se?cret#x@host/v1", "http://…@host/v1"),
        (
            "postgresql+psycopg://u:p@h/db and ftp://a:b@c",
            "postgresql+psycopg://…@h/db and ftp://…@c",
        ),
        ("https://host/v1?api_key=secret&x=1", "https://host/v1?api_key=…&x=1"),
        ("https://host/?x=1&X-Amz-Signature=secret", "https://host/?x=1&X-Amz-Signature=…"),
        ("https://host/?access_token=secret#top", "https://host/?access_token=…#top"),
        ("http://localhost:8000/users/@me", "http://localhost:8000/users/@me"),
        (
            "https://video.example/@somebody says hi@home",
            "https://video.example/@somebody says hi@home",
        ),
        ("mail me@host", "mail me@host"),
    ],
)
def test_passwords_in_addresses_are_left_out(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("it is 'u:s3cret@h:80'", "it is '…@h:80'"),
        ("//u:s3cret@h/x", "//…@h/x"),
        ("proxy (u:s3cret@h)", "proxy (…@h)"),
        ("http:/u:s3cret@h", "http:/…@h"),
        ("https://h/#access_token=s3cret", "https://h/#access_token=…"),
        ("to=http%3A%2F%2Fu%3As3cret%40h", "to=http%3A%2F%2F…%40h"),
        ("authorization=Bearer%20s3cret,x=1", "authorization=Bearer%20…,x=1"),
        ("Authorization: Basic dTpz", "Authorization: Basic …"),
        ("x-api-key: s3cret", "x-api-key: …"),
        ("refused Bearer abcdefghij0123456789", "refused Bearer …"),
        ("{'authorization': 'Bearer s3cret'}", "{'authorization': 'Bearer …'}"),
        ('{"X-Api-Key": "s3cret"}', '{"X-Api-Key": "…"}'),
        (r"{\"x-api-key\":\"s3cret\"}", r"{\"x-api-key\":\"…\"}"),
        ("(b'Authorization', b'Basic dTpz')", "(b'Authorization', b'Basic …')"),
        ("X-Chroma-Token: s3cret", "X-Chroma-Token: …"),
        ("x-honeycomb-team=s3cret", "x-honeycomb-team=…"),
        ("OPENAI_API_KEY=s3cret-012", "OPENAI_API_KEY=…"),
        ("password: 'hunter22'", "password: '…'"),
        ('{"api_key": "s3cret", "tokens": "two"}', '{"api_key": "…", "tokens": "two"}'),
        (r"{\"access_token\": \"s3cret\"}", r"{\"access_token\": \"…\"}"),
        (
            "to=https%3A%2F%2Fh%2F%3Fapi_key%3Ds3cret%26x%3D1",
            "to=https%3A%2F%2Fh%2F%3Fapi_key%3D…%26x%3D1",
        ),
        ("https://h/?api%5Fkey=s3cret&x", "https://h/?api%5Fkey=…&x"),
        ("Cookie: session=s3cret", "Cookie: …"),
        ('api-key: "s3cret"', 'api-key: "…"'),
        ("refused Basic bWU6czNjcmV0OjEyMw==", "refused Basic …"),
        ("wrong key sk-proj-abcdefghij0123456789.", "wrong key …."),
        (
            "url: /info?api_key=s3cret",
            "url: /info?api_key=…",
        ),
    ],
)
def test_passwords_are_left_out_however_they_are_written(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "mail mailto:bob@example.com or bob@example.com",
        "the bearer carrying a flag",
        "seen at 12:30 by @bob",
        "an authorization is needed",
        "an authorization, a key, and a token",
        "what is the key? key=5",
        "a picture @ 3:2",
        "frames (sight:clip-vit-b32@6d562e5b9ae7), [sight:tiny@0]",
        "a basic internationalization",
        "the secret: somebody hides, the token: a coin",
        "sk_trip_to_kosovo_20240506.mp4 and hf_videos_of_2024_05_06/a.mp4",
    ],
)
def test_what_is_no_password_is_shown(text: str) -> None:
    assert without_passwords(text) == text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:pa s3cret@h/v1", "http://…@h/v1"),
        ("me:pa s3cret@h/v1", "…@h/v1"),
        ("http://me:pa\n s3cret@h", "http://…@h"),
        ("http://me:pa\"s3'cret@h", "http://…@h"),
        ("http://me:s3cret", "http://me:…"),
        ("http://me:s3cret%40h/v1", "http://me:…/v1"),
        ("http://h:8000/v1", "http://h:8000/v1"),
        ("http://[::1]:8000/v1?key=s3cret", "http://[::1]:8000/v1?key=…"),
        ("http://[::1/v1", "http://[::1/v1"),
        ("nowhere", "nowhere"),
        ("http://h/@a/v1", "http://h/@a/v1"),
    ],
)
def test_of_what_should_be_an_address_no_password_is_shown_either(address: str, shown: str) -> None:
    assert shown_address(address) == shown


def test_every_error_of_ours_leaves_passwords_out() -> None:
    assert str(StoreError("http://u:secret@host failed")) == "http://…@host failed"


def test_one_is_singular() -> None:
    said = [counted(count, "caption") for count in (0, 1, 2, 1000)]
    assert said == ["0 captions", "1 caption", "2 captions", "1,000 captions"]
