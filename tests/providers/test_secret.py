"""A token does not show itself, and is taken out of what others say."""

from __future__ import annotations

import json
import pickle
from base64 import b64encode

import pytest

from providers.base import Secret

TOKEN = "tok/SECRET+42"


def test_it_does_not_show() -> None:
    secret = Secret(TOKEN)
    assert TOKEN not in f"{secret} {secret!r} {secret!s} {[secret]} {secret:>20}"
    assert (str(secret), secret.reveal()) == ("***", TOKEN)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_the_same_token_is_the_same_secret() -> None:
    assert Secret(TOKEN) == Secret(TOKEN) and Secret(TOKEN) != Secret("another")
    assert Secret(TOKEN) != TOKEN
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret(TOKEN))


@pytest.mark.parametrize("value", [TOKEN, f"Bearer {TOKEN}"])
@pytest.mark.parametrize(
    "written",
    [
        TOKEN,
        "tok%2FSECRET%2B42",
        json.dumps(TOKEN).replace("/", "\\/"),
        b64encode(TOKEN.encode()).decode(),
    ],
)
def test_it_is_hidden_in_every_form(value: str, written: str) -> None:
    """Also where others leave the scheme out."""
    secret = Secret(value)
    assert "SECRET" not in secret.hidden(f"no {written} is good")
    assert secret.hidden(f"x {TOKEN} y") == "x *** y"
    body = secret.cut_out(f'{{"said": "{written.strip(chr(34))}"}}'.encode())
    assert body == b'{"said": "***"}'


@pytest.mark.parametrize("length", [3, 4, 5, 11, 12, 13])
def test_a_short_one_may_stand_there_by_chance(length: int) -> None:
    """Of 4 characters it is hidden in words; of 12 it is cut out of data."""
    token = "x7Qz-9Lm_2Rk.4"[:length]
    secret = Secret(token)
    assert (token not in secret.hidden(f"said {token} here")) is (length >= 4)
    assert (token.encode() not in secret.cut_out(f"[{token}]".encode())) is (length >= 12)
