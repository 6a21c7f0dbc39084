"""What a terminal sends, as keys: esc and what was typed behind it may arrive together."""

from __future__ import annotations

import pytest
from textual import events

from widgets.typed import TypedParser

SENT = {
    "/missed\r\x1bd": "/missed<enter><escape>d",
    "E\x1b\r": "E<escape><enter>",
    "3\x1b/x\x1b1": "3<escape>/x<escape>1",
    "\x1b\x1bjj\x1b X": "<escape><escape>jj<escape> X",
    "\x1bD" + "j" * 40 + "\x1bf": "<escape>D" + "j" * 40 + "<escape>f",
    "\x1bj\x1b[B\x1bk\x1b[1;2Aq": "<escape>j<down><escape>k<shift+up>q",
    "t\x1b\x7f": "t<escape><backspace>",
    "\x1b\t": "<escape><tab>",
    "\x1bü": "<escape>ü",
    "/busy\nd\x1b\n": "/busy<enter>d<escape><enter>",
}


def keys(*pieces: str, edits: bool = False) -> str:
    parser = TypedParser(lambda: edits)
    found = [event for piece in pieces for event in parser.feed(piece)]
    parser._timeout_time = 0.0 if parser._timeout_time else None
    found += parser.tick()
    texts = (event for event in found if isinstance(event, events.Key))
    return "".join(
        event.character if event.is_printable and event.character else f"<{event.key}>"
        for event in texts
    )


@pytest.mark.parametrize("sent", SENT)
def test_esc_is_a_key_whatever_comes_behind_it(sent: str) -> None:
    assert keys(sent) == SENT[sent]
    for at in range(1, len(sent)):
        assert "\x1b[" in sent or keys(sent[:at], sent[at:]) == SENT[sent], at


def test_words_are_gone_over_where_a_text_is_edited() -> None:
    assert keys("\x1bf\x1bb\x1b\x7f", edits=True) == "<ctrl+right><ctrl+left><ctrl+w>"
    assert keys("\x1bf") == "<escape>f"
    assert keys("x\x1bf", edits=True) == "x<escape>f", "so much comes of no single key"


def test_sequences_are_what_they_were() -> None:
    assert keys("\x1b[A\x1bOB\x1b[27u\x1b[100;3u") == "<up><down><escape><alt+d>"
    parser = TypedParser(lambda: False)
    found = [*parser.feed("\x1b[<0;5;7M\x1b[200~a b\x1b[201~\x1b[I")]
    assert [type(event).__name__ for event in found] == ["MouseDown", "Paste", "AppFocus"]
    assert keys("\x1b", "[", "B") == "<down>"
