"""Secrets that this process was handed are hidden however they are written, and nothing else is."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import StoreError
from tools.known_secrets import KNOWN, KnownSecrets, keep_variables
from tools.text import printable_json, shorten, without_passwords

SECRET = "horse+battery/staple é&7"


def knowing(*secrets: str) -> KnownSecrets:
    known = KnownSecrets()
    for secret in secrets:
        known.keep(secret)
    return known


SPELLINGS = {
    "as it is": SECRET,
    "in an address": quote(SECRET, safe=""),
    "in an address, small": quote(SECRET, safe="").lower(),
    "in a form": quote_plus(SECRET),
    "every byte": "".join(f"%{byte:02X}" for byte in SECRET.encode()),
    "escaped twice": quote(quote(SECRET, safe=""), safe=""),
    "in JSON": json.dumps(SECRET),
    "in JSON with slashes escaped": json.dumps(SECRET).replace("/", "\\/"),
    "in JSON, every character": "".join(f"\\u{ord(char):04x}" for char in SECRET),
    "in JSON in JSON": json.dumps(json.dumps(SECRET)),
    "in Python": repr(SECRET.encode("latin-1").decode("latin-1")),
    "in ASCII of Python": ascii(SECRET),
    "in HTML": html.escape(SECRET),
    "in HTML, by numbers": "".join(f"&#{ord(char)};" for char in SECRET),
    "in hexadecimal": SECRET.encode().hex(),
    "in capital hexadecimal": SECRET.encode().hex().upper(),
    **{
        f"in base64 after {before!r}": base64.b64encode(f"{before}{SECRET}".encode()).decode()
        for before in ("", ":", "me", "me:", "user")
    },
    "in base64 for addresses": base64.urlsafe_b64encode(f"??>{SECRET}~~".encode()).decode(),
}


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_no_spelling_of_a_secret_is_shown(spelled: str) -> None:
    shown = knowing(SECRET).hide_in(f"refused {spelled} here")
    assert shown.replace('"', "").replace("'", "").replace("\\", "") == "refused … here"


@settings(max_examples=15)
@given(st.text(min_size=7), st.text(), st.text())
def test_whatever_it_is_made_of(secret: str, before: str, after: str) -> None:
    known = knowing(secret)
    if known.hide_in(secret.strip()) != "…":
        return  # A number, or too short without its blanks.
    shown = known.hide_in(f"{before}{json.dumps(secret.strip())}{after}")
    assert secret.strip() not in shown.replace("…", "")


def test_other_text_stays() -> None:
    known = knowing(SECRET, "lm-studio", "x", "1234567")
    for text in (
        "100% of C:\\new & old, 50 %41",
        "http://lm-studio:1234/v1",
        "x",
        "1234567.5 81234567",
    ):
        assert known.hide_in(text) == text
    assert json.loads(known.hide_in('{"a": 1234567, "b": "1234567"}')) == {"a": 0, "b": "0"}


@pytest.mark.parametrize(
    ("address", "text", "shown"),
    [
        ("http://host/topsecret-key/v1", "to http://host/topsecret-key/v1/chat", "to http://host/…/v1/chat"),
        ("https://gate/openai/wordsonlykey", "https://gate/openai/wordsonlykey", "https://gate/openai/…"),
        ("http://h/abc123def456/v1", "abc123def456", "…"),
        ("http://h/v1?k=abc123def456", "got abc123def456", "got …"),
        ("http://h/v1?subscription-key=abcdefgh", "abcdefgh", "…"),
        ("http://me:passw%6frd@h/v1", "Basic bWU6cGFzc3dvcmQ= and password", "Basic … and …"),
        ("http://tok3n-alone@h/v1", "tok3n-alone", "…"),
    ],
)  # fmt: skip
def test_keys_in_an_address_are_secrets(address: str, text: str, shown: str) -> None:
    KNOWN.keep_address(address)
    assert without_passwords(text) == shown


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:11434/v1",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "https://x.openai.azure.com/openai/deployments/gpt-4o-mini-2024?api-version=2024-10-21",
        "http://localhost:12434/engines/llama.cpp/v1",
        "http://videographer:x@host/v1",
    ],
)
def test_an_ordinary_address_holds_no_secret(address: str) -> None:
    KNOWN.keep_address(address)
    plain = "of /home/videographer/gpt-4o-mini-2024, 2024-10-21, by gateway and compatible-mode"
    assert without_passwords(plain) == plain
    assert without_passwords("http://localhost:11434/v1") == "http://localhost:11434/v1"


def test_variables_named_like_keys_hold_secrets() -> None:
    variables = {
        "ANTHROPIC_API_KEY": "first-secret",
        "AWS_ACCESS_KEY_ID": "second-secret",
        "HF_TOKEN": "'third-secret'\r",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20fourth-secret,team=fifth-secret",
        "https_proxy": "me:sixth-secret@proxy:8080",
        "DATABASE_URL": "postgres://somebody:seventh-secret@db/x",
        "OPENAI_API_BASE": "http://h/eighth-secret-key/v1",
        "WHENABOUTS_EVIDENCE_TOKENS": "1000000000",
        "SSL_KEY": __file__,
        "PWD": "/work/somewhere",
        "KEY": "kitchen",
    }
    keep_variables(variables)
    ordinals = "first second third fourth fifth sixth seventh".split()
    for one in ordinals:
        assert without_passwords(f"it is {one}-secret") == "it is …"
    assert without_passwords("http://h/eighth-secret-key/v1") == "http://h/…/v1"
    plain = f"1000000000 {__file__} /work/somewhere of somebody in a kitchen"
    assert without_passwords(plain) == plain


def test_a_secret_is_hidden_before_it_could_be_cut() -> None:
    KNOWN.keep("a-secret-of-somebody")
    assert shorten("it is a-secret-of-somebody, so", 15) == "it is …, so"
    assert str(StoreError("it is a-secret-of-somebody")) == "it is …"
    assert printable_json('{"a": "a-secret-of-somebody"}') == '{"a": "…"}'


def test_many_secrets_in_a_long_text_take_no_time() -> None:
    known = knowing(*(f"secret-number-{number}\\%" for number in range(30)))
    text = "\\u0041%41&amp;" * 5_000
    assert known.hide_in(text) == text
    run = "A" * 100_000 + base64.b64encode(b"secret-number-1\\%").decode() + "A" * 100_000
    assert "…" in known.hide_in(run)
