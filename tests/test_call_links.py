"""Links to calls: written and read back, bounded, and never more than text."""

from __future__ import annotations

from random import Random

import pytest

from tui.call_links import Link, link_text, page_address, parse, time_text


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("desk:1234", Link("desk", "1234")),
        ("desk:a:b", Link("desk", "a:b")),
        ("ringback://desk/1234", Link("desk", "1234")),
        ("RINGBACK://desk/1234/", Link("desk", "1234")),
        ("ringback://desk/1234?t=3m12s", Link("desk", "1234", 192.0)),
        ("ringback://desk/1234?t=192", Link("desk", "1234", 192.0)),
        ("ringback://desk/1234?t=1h2m3s", Link("desk", "1234", 3723.0)),
        ("ringback://desk/1234?t=90m", Link("desk", "1234", 5400.0)),
        ("ringback://desk/1234?t=1.5s&r=2", Link("desk", "1234", 1.5, 1)),
        ("ringback://desk/1234?later=x&t=5s&t=9s", Link("desk", "1234", 5.0)),
        ("ringback://desk/a%2Fb%3Fc%20d%25", Link("desk", "a/b?c d%")),
        ("ringback://desk/%D0%B6", Link("desk", "ж")),
    ],
)
def test_links_and_names_are_read(text: str, link: Link) -> None:
    assert parse(text) == link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1234",
        ":1",
        "desk:",
        "ringback://",
        "ringback://desk",
        "ringback://desk/",
        "ringback:///1234",
        "ringback://de sk/1",
        "ringback://user@desk/1",
        "ringback://desk/1/2",
        "ringback://desk/1#x",
        "ringback://desk/1?t=",
        "ringback://desk/1?t=soon",
        "ringback://desk/1?t=-5",
        "ringback://desk/1?t=999h",
        "ringback://desk/1?t=3:12",
        "ringback://desk/1?t=٣",
        "ringback://desk/1?r=0",
        "ringback://desk/1?r=99999",
        "ringback://desk/%1b%5D0;x%07",
        "ringback://desk/%0a",
        "ringback://desk/%FF",
        "ringback://desk/" + "1" * 201,
        "ringback://desk/" + "1" * 2000,
        "ringback://desk/1?" + "&".join(f"a{n}=1" for n in range(30)),
    ],
)
def test_what_is_no_link_is_said(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_every_id_comes_back_from_its_link() -> None:
    random = Random(5)
    alphabet = "aZ09-_.~/?#[]@!$&'()*+,;=% é漢🙂\"<>\\^`{|}"
    for _ in range(300):
        id_ = "".join(random.choice(alphabet) for _ in range(random.randint(1, 40)))
        at_s = random.choice([None, float(random.randint(0, 300_000))])
        link = Link("my-desk_2", id_, at_s, random.randint(0, 9) if at_s is not None else 0)
        text = link_text(link)
        assert parse(text) == link
        assert text.isascii() and text.isprintable() and " " not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (192, "3m12s"), (3600, "1h"), (3723.4, "1h2m3s")],
)
def test_times_are_short(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_the_vendors_page_holds_the_id_and_no_other_host() -> None:
    page = "https://pbx.example.com/calls/{id}?tab=1"
    assert (
        page_address(page, "a/../b?c#d") == "https://pbx.example.com/calls/a%2F..%2Fb%3Fc%23d?tab=1"
    )
    for wrong in (
        "http://pbx.example.com/{id}",
        "https://{id}.example.com/",
        "https://me:pw@pbx.example.com/{id}",
        "https://pbx.example.com/",
        "javascript:alert({id})",
        "https://pbx.example.com/{id} x",
        "https://pbx.example.com/{id}\x1b[2J",
    ):
        with pytest.raises(ValueError):
            page_address(wrong, "1")
