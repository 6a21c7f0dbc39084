"""Generated calls whose every text means harm, their harmless twins, and what a terminal was sent.

``python -m tests.ui.foreign FILE`` carries out command lines, a JSON list on each line of the file.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import timedelta
from random import Random
from typing import Any

from providers.model import (
    Agent,
    Call,
    CompanyNumber,
    Contact,
    Disposition,
    Hangup,
    Recording,
    RecordingEvent,
)
from tests.archive.calls import START
from tests.providers.server import Answer, Request, Server
from tests.widgets.terminal import SEQUENCE

Text = Callable[[], str]

SIGN = "PWN"
"""Stands in what a sequence would carry: no sequence that is sent may have it in it."""
ENDS = ("\x07", "\x1b\\", "\x9c", "")
OPENERS = (
    *("\x1b]0;", "\x1b]2;", "\x1b]4;1;", "\x1b]8;;", "\x1b]9;", "\x1b]10;?", "\x1b]52;c;"),
    *("\x1b]104", "\x1b]133;A", "\x1b]777;notify;", "\x1b]1337;File=", "\x9d0;", "\x9d52;c;"),
    *(
        "\x1bP$q",
        "\x1bPq#0",
        "\x1bP+q544e",
        "\x90q",
        "\x1b_G",
        "\x1b^",
        "\x1bX",
        "\x9f",
        "\x9e",
        "\x98",
    ),
)
"""OSC, DCS, APC, PM and SOS, with ESC and as C1."""
FINALS = "@ABCDEFGHIJKLMPSTXZ`abcdefghilmnpqrstuvwxyz{|}~"
SIMPLE = (
    *(
        "\x1bc",
        "\x1b7",
        "\x1b8",
        "\x1b=",
        "\x1b>",
        "\x1bD",
        "\x1bE",
        "\x1bM",
        "\x1bN",
        "\x1bO",
        "\x1bZ",
    ),
    *(
        "\x1b(0",
        "\x1b)B",
        "\x1b#8",
        "\x1b%G",
        "\x1b F",
        "\x1b",
        "\x84",
        "\x85",
        "\x8d",
        "\x8e",
        "\x9a",
    ),
)
CONTROLS = "\x00\x05\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x11\x13\x18\x1a\x7f\x80\x9b\x9c"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
MARKUP = (
    *("[red]", "[/]", "[b", "[/nope]", "[@click=app.quit]x[/]", "[@click=screen.leave]"),
    *("[link=https://evil.example]bank[/link]", "[$error 50%]", "\\[", "{0} %s", "&#27;[2J"),
)
WIDE = ("漢字", "👩‍👩‍👧‍👦", "🏳️‍🌈", "ｗｉｄｅ", "한글", "🇩🇪", "ﷺ", "𒐫", "\u1160", "\u3164")
ODD = ("\ufeff", "\u200b", "\u200d", "\u200c", "\ufe0f", "\ue000", "\ufffe", "\U000e0041", "\u2060")
PLAIN = ("Ann", "Zoë Müller", "call back on Monday", "+44 20 7946 0018", "VIP", "x" * 60)


def hostile(random: Random) -> str:
    """A text of a few pieces, each of which some terminal, or some library, would obey."""
    return "".join(_piece(random) for _ in range(random.randint(1, 5)))


def _piece(random: Random) -> str:
    match random.randrange(9):
        case 0:
            return random.choice(OPENERS) + SIGN + random.choice(ENDS)
        case 1:
            opener, mark = random.choice(("\x1b[", "\x9b")), random.choice(("", "?", ">", "<", "="))
            numbers = ";".join(str(random.randrange(3000)) for _ in range(random.randrange(4)))
            between = random.choice(("", "", " ", "$", "!", '"'))
            return f"{opener}{mark}{numbers}{between}{random.choice(FINALS)}{SIGN}"
        case 2:
            return random.choice(SIMPLE)
        case 3:
            return "".join(random.choices(CONTROLS, k=random.randint(1, 4)))
        case 4:
            return random.choice(BIDI) + random.choice(PLAIN)
        case 5:
            return random.choice(MARKUP)
        case 6:
            return "Z" + "".join(
                chr(random.randrange(0x300, 0x370)) for _ in range(random.randrange(60))
            )
        case 7:
            return random.choice(WIDE) * random.randint(1, 4)
        case _:
            return random.choice(ODD + PLAIN)


def benign(random: Random) -> str:
    return random.choice(PLAIN)


def texts(random: Random, harm: bool) -> Text:
    """An endless supply; of the harmful ones some are huge, and some hold half a character."""

    def text() -> str:
        if not harm:
            return benign(random)
        said = hostile(random)
        if random.random() < 0.002:
            said *= 20_000 // len(said) + 1
        return said + random.choice(("\ud800", "\udfff")) if random.random() < 0.02 else said

    return text


def whole(text: str) -> str:
    """Without half characters, which readers replace where a text is a name for something."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def filled(kind: type[Any], text: Text, **given: Any) -> Any:
    """A part of a call with a text in each field that may have one."""
    for one in fields(kind):
        if one.name not in given and one.type == "str | None":
            given[one.name] = text()
        elif one.name not in given and one.type == "tuple[str, ...]":
            given[one.name] = (text(), text())
    return kind(**given)


def call(number: int, text: Text) -> Call:
    """Call `number`; ``c00042`` begins its contact's name and ``s00042`` its status."""
    started = START + timedelta(minutes=number)
    recording = filled(Recording, text, id=whole(text()), url=f"http://127.0.0.1:9/{number}.mp3")
    made: Call = filled(
        Call,
        text,
        id=f"{number}{whole(text())}.",
        provider="nectar",
        outcome=("answered", "missed")[number % 2],
        started_at=started,
        duration_s=float(number),
        original_call_id=whole(text()),
        history_id=whole(text()),
        contact=filled(Contact, text, name=f"c{number:05d} {text()}"),
        company_number=filled(CompanyNumber, text),
        agents=tuple(filled(Agent, text, started_at=started) for _ in range(1 + number % 3)),
        disposition=filled(Disposition, text),
        hangup=filled(Hangup, text),
        status=f"s{number:05d} {text()}",
        has_recording=True,
        recordings=(recording,),
        recording_events=(filled(RecordingEvent, text, started_at=started),),
        vendor_fields={whole(text()): text(), "list": [text(), text()]},
        raw={text(): [text(), {text(): text()}]},
    )
    # most vendors name a direction in a word of ours
    return made if number % 7 == 0 else replace(made, direction="inbound")


# -- the vendor


class Vendor(Server):
    """Whatever it is asked for fails, in its own words."""

    def __init__(self, random: Random, text: Text) -> None:
        super().__init__()
        self._random, self._text = random, text

    def answer(self, request: Request) -> Answer:
        said, random = whole(self._text()), self._random
        page = f"<html><title>{said}</title><body>{said}</body>"
        kinds: list[tuple[Any, int]] = [
            ({"message": said}, 400),
            ({"error": said, "code": 5}, 404),
            ({"errors": [{"message": said}]}, 422),
            ({"success": False, "message": said}, 200),
            ({"calls": {"id": said, "type": said, "started_at": said}}, 200),
            (page.encode(), 200),
            (page.encode(), 400),
            (said.encode(), 200),
            ({said: said}, 403),
        ]
        # a refused token would end a walk before the others have had their say
        return Answer(*kinds[random.randrange(len(kinds) - (random.random() < 0.9))])


# -- what was sent


def kind_of(sequence: bytes) -> bytes:
    """What a sequence does, without how often, where and to whom; modes keep their numbers."""
    if re.fullmatch(rb"\x1b\[[?>=<]?[0-9;]*[hl]", sequence):
        return sequence
    if sequence[1:2] in (b"]", b"P", b"X", b"^", b"_"):
        head = re.match(rb"\x1b.[0-9]*;?[a-z]?", sequence)
        return head[0] if head else sequence
    return re.sub(rb"[0-9;:]+", b"N", sequence)


def kinds(output: bytes) -> set[bytes]:
    return {kind_of(found) for found in SEQUENCE.findall(output)}


def controls(output: bytes) -> set[str]:
    """The characters outside of sequences that are no text, and those that turn it round."""
    text = SEQUENCE.sub(b"", output).decode(errors="surrogateescape")
    return (
        {char for char in text if char < " " or "\x7f" <= char < "\xa0"}
        | {*BIDI} & {*text}
        | {char for char in text if "\ud800" <= char <= "\udfff"}
    )


def carried(output: bytes) -> list[bytes]:
    """Sequences with the sign of a hostile text in them."""
    return [found for found in SEQUENCE.findall(output) if SIGN.encode() in found]


# -- the commands


def lines_of(calls: Iterator[Call], text: Text) -> Iterator[list[str]]:
    """Command lines for each call, in turn about it, and those that are about all of them."""

    def said() -> str:
        """As a shell passes it: no NUL, and bytes that are no UTF-8 as halves of characters."""
        return re.sub("[\ud800-\udfff]", "\udc9b", text().replace("\0", ""))

    names = []
    for one in calls:
        name = f"desk:{one.id}"
        names.append(name)
        yield ["show", name]
        others = [
            ["show", name, "--raw"],
            ["show", name, "--json"],
            ["triage", name, "--note", said(), "--tag", said()],
            ["download", name, "--output", "/nowhere"],
            ["refresh", name],
            ["hold", name, "--reason", said()],
            ["show", f"{said()}:{said()}"],
            ["calls", said(), "--limit", "3"],
        ]
        yield from (others[len(names) % len(others)], others[(len(names) + 3) % len(others)])
    columns = "time,direction,outcome,contact,number,agents,disposition,tags,queue"
    yield ["calls"]
    yield ["calls", "--columns", columns]
    yield ["calls", "--csv"]
    yield ["calls", "--json"]
    yield ["accounts", "list"]
    yield ["accounts", "test"]
    yield ["doctor"]
    yield ["hold", "--list"]
    yield ["audit"]
    yield ["audit", "--json"]
    for _ in range(1 + len(names) // 20):
        yield ["sync"]
        yield ["accounts", "list"]
        yield ["purge", "--number", said()]
        yield ["help", said()]
        yield ["calls", "--columns", said()]
        yield ["import", "desk", said()]


def main(file: str) -> None:
    from tui import cli

    with open(file, encoding="utf-8") as source, open(os.devnull) as sys.stdin:  # nobody answers
        for line in source:
            try:
                cli.main(json.loads(line))
            except SystemExit:  # a usage error
                continue


if __name__ == "__main__":
    main(sys.argv[1])
