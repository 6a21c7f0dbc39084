"""Calls as others may see them: nothing of a customer or an agent but what tells calls apart."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from providers.model import Agent, Call, CallRow, Contact, Disposition, Recording
from tests.widgets import samples
from tui.archive import codec
from widgets import masking
from widgets.call_document import Extra, document, one_line
from widgets.columns import COLUMNS
from widgets.masking import HIDDEN, Veil, VeiledRows, masked_call, masked_row

NUMBERS = {
    "+44 20 7946 0123": "+** ** **** *123",
    "+12025550123": "+********123",
    "0049 30 1234567": "**** ** ****567",
    "(030) 123-4567": "(***) ***-*567",
    "1234": "**34",
    "112": "**2",
    "7": "*",
    "anonymous": "anonymous",
    "1-800-FLOWERS": "*-***-F******",
    "sip:bob@example.com": "s**:b**@e******.c**",
    "٠١٢٣٤٥٦٧": "*****٥٦٧",
    "": "",
}
NAMES = {
    "Anna Müller": "A*** M*****",
    "Müller-Lüdenscheidt, Anna": "M*****-L***********, A***",
    "Mu\u0308ller": "M*****",
    "李小龙": "李****",
    "anna.muller@example.com": "a***.m*****@e******.c**",
    "Call 4711": "C*** ****",
    "X": "*",
}
TEXTS = {
    "Support": "Support",
    "Support 24/7": "Support 24/7",
    "since 2026-11-02 14:05:33": "since 2026-11-02 14:05:33",
    "of 1,234,567 calls": "of 1,234,567 calls",
    "rang +49 (30) 123-4567 back": "rang +** (**) ***-*567 back",
    "for Anna, anna@example.com": "for A***, a***@e******.c**",
    "ANNAS line": "A***S line",
}


@pytest.mark.parametrize(("text", "masked"), NUMBERS.items())
def test_numbers_keep_their_last_digits(text: str, masked: str) -> None:
    assert masking.masked_number(text) == masked


@pytest.mark.parametrize(("text", "masked"), NAMES.items())
def test_names_keep_their_first_letters_and_their_width(text: str, masked: str) -> None:
    assert masking.masked_name(text) == masked
    assert cell_len(masked) == cell_len(text)


@pytest.mark.parametrize(("text", "masked"), TEXTS.items())
def test_texts_lose_known_names_numbers_and_addresses(text: str, masked: str) -> None:
    assert masking.masked_text(text, ["Anna Müller"]) == masked


def test_a_vendors_own_values_keep_their_shape_and_no_text() -> None:
    raw = {"when": "2026-11-02T09:30:00Z", "to": "+4930123456", "n": 4930123456, "s": 12, "x": 0.5}
    raw |= {"who": "Anna", "status": "ANSWERED", "yes": True, "no": None, "in": [{"a": "b c"}]}
    raw |= {"+4930123456": 1}
    assert masking.masked_data(raw, frozenset({"ANSWERED"})) == {
        "when": "2026-11-02T09:30:00Z",
        "to": "+*******456",
        "n": "*******456",
        "s": 12,
        "x": 0.5,
        "who": HIDDEN,
        "status": "ANSWERED",
        "yes": True,
        "no": None,
        "in": [{"a": HIDDEN}],
        "+*******456": 1,
    }


# -- no field is forgotten, also none that a later Ringback adds

NAME, NUMBER, MAIL = "Zebulon Quackenbush", "+49 30 555123987", "zq@secret.example.com"
SENTINEL = f"{NAME} {NUMBER} {MAIL}"
TRACES = ("Zebulon", "Quackenbush", "555123", "zq@", "secret")
KEPT = {"id", "provider", "original_call_id", "history_id", "derived", "outcome", "mime", "media"}
"""What names a call, or is a word of ours."""


def filled(kind: type[Any], **given: Any) -> Any:
    """One of this kind, with the sentinel in every text of it."""
    values: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for item in fields(kind):
        hint = hints[item.name]
        values[item.name] = sentinel(item.name, hint)
    return kind(**{**values, **given})


def sentinel(name: str, hint: Any) -> Any:
    choices = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    for choice in choices:
        if is_dataclass(choice) and isinstance(choice, type):
            return filled(choice)
        if choice is str:
            return "desk-1" if name in KEPT else SENTINEL
        if get_origin(choice) is tuple:
            inner = get_args(choice)[0]
            if inner is str:
                return () if name in KEPT else (SENTINEL,)
            return (filled(inner),)
        if choice is datetime:
            return samples.START
        if choice in (int, float, bool):
            return choice(1)
    return None


def whole() -> Call:
    """A call that holds the sentinel wherever a text may stand."""
    call: Call = filled(Call, recordings_known=True)
    named = replace(call.contact, name=NAME, number=NUMBER, email=MAIL)
    return replace(
        call,
        contact=named,
        vendor_fields={"who": SENTINEL, "to": NUMBER, "all": [MAIL], NUMBER: 1},
        raw={"a": [{"b": SENTINEL}, NUMBER, 4930555123987], NUMBER: NAME},
    )


def test_no_field_of_a_call_tells_who_it_was() -> None:
    call = whole()
    masked = masked_call(call)
    plain = json.dumps([codec.encode(call), call.raw], ensure_ascii=False)
    said = json.dumps([codec.encode(masked), masked.raw], ensure_ascii=False)
    assert all(trace in plain for trace in TRACES)
    assert not [trace for trace in TRACES if trace in said]
    assert masked.recordings[0].url is None and len(masked.recordings) == 1


def test_no_line_of_the_page_and_no_column_tells_it() -> None:
    clock, call = samples.CLOCK, masked_call(whole())
    page = document(call, "a", clock, Extra(), 200)
    lines = ["".join(text for text, _ in row.line) for row in page]
    told = {"key", "account", "id", "provider", "outcome", "state", "closed_by", "heard", "trouble"}
    hints = get_type_hints(CallRow)
    texts = {name for name in CallRow._fields if "str" in str(hints[name])} - told
    row = samples.row(1, **dict.fromkeys(texts, SENTINEL))._replace(contact=NAME, number=NUMBER)
    lines += [column.value(masked_row(row), clock) for column in COLUMNS.values()]
    said = "\n".join([*lines, one_line(call, "a", clock)])
    assert "Z******" in said and HIDDEN in said
    assert not [trace for trace in TRACES if trace in said]


@given(st.text(min_size=2).filter(lambda text: any(map(str.isalpha, text))), st.text())
def test_a_name_never_stands_in_what_a_vendor_wrote_around_it(name: str, around: str) -> None:
    call = Call(
        "1", "nectar", contact=Contact(name=name), agents=(Agent("7", name),),
        ring_group=around + name, disposition=Disposition(name + around, name), tags=(name,),
        raw={"x": [around + name]},
    )  # fmt: skip
    masked = masked_call(call)
    for word in masking._PARTED.findall(name):
        if cell_len(word) > 1:
            kept = (masked.ring_group, masked.disposition.code, masked.tags[0], masked.contact.name)
            hidden = masking.masked_name(word)
            assert (
                all(word not in (one or "").replace(hidden, "") for one in kept) or word == hidden
            )
    assert masked.raw == {"x": [HIDDEN]} or not name.strip()


def test_agents_stay_apart_without_their_ids() -> None:
    agents = (Agent("ann@example.com"), Agent("ben@example.com"))
    recordings = (Recording(agent_id="ben@example.com"),)
    masked = masked_call(Call("1", "cinnox", agents=agents, recordings=recordings))
    assert [agent.id for agent in masked.agents] == ["#1", "#2"]
    assert masked.recordings[0].agent_id == "#2"


def test_a_veil_lets_one_call_be_seen() -> None:
    class Given:
        begins, ends = True, False
        rows = tuple(samples.row(key) for key in range(3))

        def __len__(self) -> int:
            return 3

        def window(self, start: int, stop: int) -> tuple[CallRow, ...]:
            return self.rows[start:stop]

        def keys_between(self, start: int, stop: int) -> range:
            return range(start, stop)

        def index_of(self, key: int) -> int | None:
            return key

    veil, given = Veil(), Given()
    rows = VeiledRows(given, veil)
    assert (*rows.window(0, 3),) == given.rows
    veil.on = True
    assert [row.contact for row in rows.window(0, 3)] == ["A** L*******", "G**** H*****", None]
    veil.revealed = 1
    assert rows.window(0, 3)[1] == given.rows[1] and rows.window(0, 3)[0] != given.rows[0]
    assert (rows.begins, rows.ends, len(rows), rows.index_of(2)) == (True, False, 3, 2)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_may_be_a_phone_s_is_masked_from_seven_digits_on(sign: int) -> None:
    shown = masking.masked_data({"short": sign * 999_999, "long": sign * 1_000_000})
    assert isinstance(shown, dict)
    assert shown["short"] == sign * 999_999 and "1000000" not in str(shown["long"])
