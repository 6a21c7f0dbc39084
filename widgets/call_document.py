"""One call as lines of a page: plain data made from plain data, for `CallDetail` to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from rich.cells import cell_len

from providers.model import Agent, Call, CallRow, Json, Recording
from providers.sanitize import safe_text
from widgets.cells import Line, fit, wrap
from widgets.columns import Clock, direction_text, duration_text, outcome_text, time_text
from widgets.json_text import HIDDEN
from widgets.timeline import DERIVED, answer_text, offset_s, timeline

HEADING = "call-detail--heading"
LABEL = "call-detail--label"
PROBLEM = "call-detail--problem"
PLAYING = "call-detail--playing"
PAIR_WIDTH = 38
"""A label and its value want this many cells: two pairs a line at 80, three at 120."""
LABEL_WIDTH = 11
YOUNG = timedelta(days=1)
MOST_PARTS, MOST_LINES = 200, 500
"""Agents or recordings that are shown, and lines of one section; more are counted."""
SECRET_LENGTH = 8
"""A shorter part of an address may stand in any text."""

PARTS = ("agents", "recording_events", "recordings")
"""Fields of a call that hold several."""

Moment = tuple[int, float]
"""Index of a recording, and seconds into it."""


class Section(NamedTuple):
    """A section from elsewhere, e.g. triage: a title, and lines of text."""

    title: str
    lines: tuple[str, ...]
    moments: tuple[tuple[int, Moment], ...] = ()
    """Lines (from 0) that stand for a moment of a recording."""


class RelatedCall(NamedTuple):
    """Another call that belongs to this one, and how: ``original``, ``same number`` ..."""

    row: CallRow
    relation: str


class Extra(NamedTuple):
    """What is known of a call besides what the vendor says."""

    sections: tuple[Section, ...] = ()
    """Shown after the disposition."""
    playing: int | None = None
    """Index of the recording in the player."""
    asking: bool = False
    """Whether the vendor is being asked for the list of recordings."""
    related: tuple[RelatedCall, ...] = ()
    """Newest first."""
    more_related: bool = False
    """Whether there are more than these."""
    related_key: str = ""
    """The key that goes to them."""
    heard: tuple[str, ...] = ()
    """For each recording, in words: how far it was heard, why it cannot be."""


class Row(NamedTuple):
    """A line of the page, and the recording or the call (its row's key) that it stands for."""

    line: Line
    recording: int | None = None
    call: int | None = None
    moment: Moment | None = None
    """Where in a recording the line leads; instead of to its beginning."""


@dataclass(frozen=True, slots=True)
class Page:
    """What every section needs: the call, the clock, the width, and how to clean a text."""

    whole: Call
    call: Call
    """The call with no more parts than are shown."""
    account: str
    clock: Clock
    extra: Extra
    width: int
    secrets: tuple[str, ...] = field(repr=False)
    sign: str
    """What stands in every one of `secrets`; most texts lack it."""
    names: Mapping[str, str]
    """Of the call's agents, by id."""

    @classmethod
    def of(cls, call: Call, account: str, clock: Clock, extra: Extra, width: int) -> Self:
        names = {one.id: one.name for one in reversed(call.agents) if one.id and one.name}
        first = {name: getattr(call, name)[:MOST_PARTS] for name in PARTS}
        secrets = secrets_of(call)
        sign = "/" if all("/" in secret for secret in secrets) else ""
        shown = replace(call, **first)
        return cls(call, shown, account, clock, extra, max(width, 20), secrets, sign, names)

    def text(self, value: object, limit: int = 300, multiline: bool = False) -> str:
        """`value` safe for the screen, without the address of a recording."""
        text = "" if value is None else str(value)
        if self.sign in text:
            for secret in self.secrets:
                text = text.replace(secret, HIDDEN)
        return safe_text(text, limit, multiline)

    def value(self, value: Json) -> str:
        """A vendor's own value: a list in one line, a boolean as a word."""
        if isinstance(value, list | tuple):
            return ", ".join(filter(None, map(self.value, value)))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return _yes_no(value) if isinstance(value, bool) else self.text(value, 4000)

    def derived(self, name: str, text: str) -> str:
        return DERIVED + text if text and name in self.call.derived else text

    def agent(self, agent_id: str | None) -> str:
        """An agent's name where the call tells it, else the id."""
        return self.text(self.names.get(agent_id or "", agent_id))


def document(call: Call, account: str, clock: Clock, extra: Extra, width: int) -> list[Row]:
    """The page up to, and without, the vendor's JSON, in lines of at most `width` cells."""
    page = Page.of(call, account, clock, extra, width)
    rows: list[Row] = []
    for title, section in SECTIONS:
        body = list(section(page))
        if section is not _extra:  # what people wrote themselves is whole
            body[MOST_LINES:] = _more(len(body) - MOST_LINES, " lines")
        if body:
            rows += [*([heading(title)] if title else []), *body]
    return rows


def plain_text(
    call: Call, account: str, clock: Clock, width: int = 100, extra: Extra | None = None
) -> str:
    """The page as text, for a terminal without a screen and for screen readers."""
    rows = document(call, account, clock, extra or Extra(), width)
    return "\n".join("".join(text for text, _ in row.line).rstrip() for row in rows)


def one_line(call: Call, account: str, clock: Clock) -> str:
    """The call in one line, to be pasted into a message: when, how, who, with whom, its name."""
    who = " ".join(filter(None, (call.contact.name, call.contact.number)))
    agents = ", ".join(filter(None, (agent.name or agent.id for agent in call.agents)))
    said = (
        moment_text(call.started_at, clock),
        call.direction,
        outcome_text(call.outcome),
        who,
        duration_text(call.duration_s),
        agents and f"agent {agents}",
        call.disposition.code,
        f"{account}:{call.id}",
    )
    return " · ".join(filter(None, (safe_text(part, 200) for part in said)))


def secrets_of(call: Call) -> tuple[str, ...]:
    """The recordings' addresses, the longest first: also without scheme and without host, as the
    vendor may have written them.
    """
    whole = {recording.url for recording in call.recordings if recording.url}
    bare = {url.partition("://")[2] for url in whole}
    paths = {slash + path for host, slash, path in (url.partition("/") for url in bare)}
    parts = {part for part in bare | paths if len(part) >= SECRET_LENGTH}
    return tuple(sorted(whole | parts, key=len, reverse=True))


def heading(title: str) -> Row:
    return Row(((title, HEADING),))


def size_text(size: int | None) -> str:
    """``812 B``, ``2.1 MB``."""
    if size is None or size < 0:
        return ""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def offset_text(seconds: float | None) -> str:
    """``+0:12`` after the ring, ``-0:02`` before it; empty when not known."""
    if seconds is None:
        return ""
    return ("-" if seconds < 0 else "+") + duration_text(abs(seconds))


def moment_text(moment: datetime | None, clock: Clock) -> str:
    """Date and time in the reader's zone."""
    local = clock.local(moment)
    return f"{local.year:04}-{local:%m-%d %H:%M:%S}" if local else ""


def _yes_no(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]


def pairs(page: Page) -> Iterator[tuple[str, str]]:
    """Label and value of the overview, in the order of reading."""
    call, text, derived = page.call, page.text, page.derived
    who = " ".join(filter(None, (call.hangup.by, call.hangup.by_name)))
    hangup = ", ".join(filter(None, (who, call.hangup.reason, call.hangup.code)))
    line = " ".join(filter(None, (call.company_number.name, call.company_number.number)))
    yield "Contact", text(call.contact.name)
    yield "Number", text(call.contact.number)
    yield "Started", derived("started_at", moment_text(call.started_at, page.clock))
    yield "Ended", derived("ended_at", moment_text(call.ended_at, page.clock))
    yield "Direction", derived("direction", text(call.direction))
    yield "Outcome", derived("outcome", text(outcome_text(call.outcome)))
    yield "Length", derived("duration_s", duration_text(call.duration_s))
    yield "Status", text(call.status)
    yield "Wait", derived("wait_s", duration_text(call.wait_s))
    yield "Talk", derived("talk_s", duration_text(call.talk_s))
    yield "From", text(call.from_)
    yield "To", text(call.to)
    yield "Line", text(line)
    yield "Hang-up", text(hangup)
    yield "Ring group", text(call.ring_group)
    yield "Queue", text(call.queue)
    yield "IVR", text(call.ivr)
    yield "Campaign", text(call.campaign)
    yield "Email", text(call.contact.email)
    yield "Contact id", text(call.contact.id)
    yield "Tags", text(", ".join(call.tags))
    yield "SLA met", derived("sla_met", _yes_no(call.sla_met))
    yield "Call back", _yes_no(call.callback_requested)
    yield "Original", text(call.original_call_id)
    yield "Account", text(f"{page.account} ({call.provider})")
    yield "Call id", text(call.id)


def _overview(page: Page) -> Iterator[Row]:
    yield from _side_by_side(page, pairs(page), LABEL_WIDTH)
    yield from _labelled(page, "Summary", page.call.summary)


def _side_by_side(
    page: Page, labelled: Iterable[tuple[str, str]], label_width: int
) -> Iterator[Row]:
    """Short values side by side; those too long for that have lines of their own, unabridged."""
    columns = max(1, (page.width + 1) // PAIR_WIDTH)
    width = page.width // columns
    room = width - label_width - 3
    pairs = [(label, value) for label, value in labelled if value]
    short = [pair for pair in pairs if cell_len(pair[1]) <= room]
    for start in range(0, len(short), columns):
        line = (_pair(pair, width, label_width) for pair in short[start : start + columns])
        yield Row(tuple(run for pair in line for run in pair))
    for label, value in pairs:
        if cell_len(value) > room:
            yield from _labelled(page, label, value, label_width=label_width)


def _pair(pair: tuple[str, str], width: int, label_width: int) -> Line:
    label, value = pair
    return (
        (fit(f"  {label}", label_width + 2), LABEL),
        (fit(value, max(4, width - label_width - 3)) + " ", ""),
    )


def _labelled(
    page: Page, label: str, value: str | None, limit: int = 4000, label_width: int = LABEL_WIDTH
) -> Iterator[Row]:
    """A label, and beside it a text that may take several lines; nothing without a value."""
    text = page.text(value, limit, multiline=True)
    for number, line in enumerate(wrap(text, page.width - label_width - 3) if text else ()):
        yield Row(((fit("" if number else f"  {label}", label_width + 2), LABEL), (line, "")))


def _grid(cells: Sequence[Sequence[str]], width: int) -> list[str]:
    """Rows of cells in aligned columns, cropped to `width`; empty columns are left out."""
    widths = [max(cell_len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return [
        fit(
            "  " + "  ".join(fit(c, w) for c, w in zip(row, widths, strict=True) if w), width
        ).rstrip()
        for row in cells
    ]


NONE = Row((("  none", LABEL),))
"""Agents and disposition are looked for: that there are none is said."""


def _agents(page: Page) -> Iterator[Row]:
    """A line for each leg, and how it ended: beside it where that has room for all, or below."""
    agents = page.call.agents
    lines = _grid([_agent_cells(page, agent) for agent in agents], page.width) if agents else []
    endings = [_leg_ending(page, agent) for agent in agents]
    column = max(map(cell_len, lines), default=0) + 2
    beside = column + max(map(cell_len, endings), default=0) <= page.width
    for line, ending in zip(lines, endings, strict=True):
        if not ending or beside:
            yield Row(((fit(line, column) + ending if ending else line, ""),))
            continue
        yield Row(((line, ""),))
        yield from _labelled(page, "", ending)
    yield from _more(len(page.whole.agents) - len(agents))
    if not agents:
        yield NONE


def _agent_cells(page: Page, agent: Agent) -> tuple[str, ...]:
    return (
        offset_text(offset_s(page.call, agent.started_at)),
        page.text(agent.name or agent.id or "(no name)"),
        answer_text(agent),
        "transfer" if agent.transfer else "",
        ", ".join(filter(None, (page.text(agent.role), page.text(agent.department)))),
    )


def _leg_ending(page: Page, agent: Agent) -> str:
    """The vendor's status where it says more, reason and code, and when."""
    status = agent.status if agent.answered is not False else None
    reason = agent.hangup_reason if agent.hangup_reason != agent.status else None
    said = map(page.text, filter(None, (status, reason, agent.hangup_code)))
    end = offset_text(offset_s(page.call, agent.ended_at))
    return ", ".join(filter(None, (*said, end and f"until {end}")))


def _disposition(page: Page) -> Iterator[Row]:
    given = page.call.disposition
    yield from _labelled(page, "Code", given.code)
    yield from _labelled(page, "Note", given.note)
    if not (given.code or given.note):
        yield NONE


def _more(count: int, what: str = "") -> Iterator[Row]:
    """That there is more than is shown, if so."""
    if count > 0:
        yield Row(((f"  … and {count:,} more{what}; ringback show --json has all", LABEL),))


def _extra(page: Page) -> Iterator[Row]:
    for section in page.extra.sections:
        yield heading(page.text(section.title))
        moments = dict(section.moments)
        for number, text in enumerate(section.lines):
            for line in wrap(page.text(text, 5000, multiline=True), page.width - 2):
                yield Row(((f"  {line}", ""),), moment=moments.get(number))


def _recordings(page: Page) -> Iterator[Row]:
    call = page.call
    if not call.recordings_known:
        text = "asking the vendor ..." if page.extra.asking else "not asked for yet"
        yield Row(((f"  {text}", LABEL),))
    for event in call.recording_events:
        who = page.agent(event.recorder)
        start, end = (offset_text(offset_s(call, at)) for at in (event.started_at, event.ended_at))
        period = " to ".join(filter(None, (start, end)))
        yield Row(
            ((fit("  " + "  ".join(filter(None, ("recorded", who, period))), page.width), ""),)
        )
    cells = [_file_cells(page, index, file) for index, file in enumerate(call.recordings)]
    lines = _grid(cells, page.width) if cells else []
    for index, (line, file) in enumerate(zip(lines, call.recordings, strict=True)):
        playing = index == page.extra.playing
        yield Row(((line, PLAYING if playing else ""),), index)
        for text in (_heard(page, index), file.summary or ""):
            for row in _labelled(page, "", text):
                yield Row(row.line, index)
    for name in ("recording_events", "recordings"):
        yield from _more(len(getattr(page.whole, name)) - len(getattr(call, name)))
    if call.recordings_known and not call.recordings:
        lacking = "not there yet" if _young(page) else "the vendor gives no file"
        known = {True: lacking, False: "none", None: "not known"}
        yield Row(((f"  {known[call.has_recording]}", LABEL),))
    if not call.recordings:
        yield from _labelled(page, "", _heard(page, 0))


def _young(page: Page) -> bool:
    """Whether a recording may still be under way at the vendor."""
    ended = page.call.ended_at or page.call.started_at
    return ended is not None and page.clock.now - ended < YOUNG


def _heard(page: Page, index: int) -> str:
    return page.extra.heard[index] if index < len(page.extra.heard) else ""


def _file_cells(page: Page, index: int, file: Recording) -> tuple[str, ...]:
    mark = ">" if index == page.extra.playing else " "
    return (
        f"{mark}{index + 1}",
        duration_text(file.duration_s),
        page.text(file.media or file.mime),
        size_text(file.size),
        offset_text(offset_s(page.call, file.started_at)),
        page.agent(file.agent_id),
        "transfer" if file.transfer else "",
        "private" if file.private else "",
        page.text(file.name or (file.id and f"id {file.id}")),
        "playing" if index == page.extra.playing else "",
    )


def _timeline(page: Page) -> Iterator[Row]:
    for offset, text in timeline(page.call):
        at = fit(offset_text(offset), 9, "right")
        yield Row(((at, LABEL), (fit(f"  {page.text(text)}", page.width - 9).rstrip(), "")))


def _vendor_fields(page: Page) -> Iterator[Row]:
    """What only this vendor has, under its own names."""
    fields = [(page.text(n, 40), page.value(v)) for n, v in page.call.vendor_fields.items()]
    widest = max((cell_len(name) for name, value in fields if value), default=0)
    yield from _side_by_side(page, fields, max(LABEL_WIDTH, min(widest, page.width // 2 - 3) + 1))


def _related(page: Page) -> Iterator[Row]:
    calls = page.extra.related
    if not calls:
        return
    key = page.extra.related_key
    yield heading("Related calls" + (f" ({key} goes there)" if key else ""))
    lines = _grid([_related_cells(page, *one) for one in calls], page.width)
    for line, one in zip(lines, calls, strict=True):
        yield Row(((line, ""),), call=one.row.key)
    if page.extra.more_related:
        yield Row((("  and older ones", LABEL),))


def _related_cells(page: Page, row: CallRow, relation: str) -> tuple[str, ...]:
    return (
        time_text(row.started_at, page.clock),
        direction_text(row.direction),
        outcome_text(row.outcome),
        duration_text(row.duration_s),
        relation,
        page.text(row.agents, 30),
        page.text(f"{row.account}:{row.id}", 60),
    )


def _problems(page: Page) -> Iterator[Row]:
    for problem in page.call.problems:
        for number, line in enumerate(wrap(page.text(problem), page.width - 4)):
            yield Row(((f"  {' ' if number else '!'} {line}", PROBLEM),))


SECTIONS: tuple[tuple[str, Callable[[Page], Iterable[Row]]], ...] = (
    ("Overview", _overview),
    ("Agents", _agents),
    ("Disposition", _disposition),
    ("", _extra),
    ("Recordings", _recordings),
    ("Timeline", _timeline),
    ("Vendor's fields", _vendor_fields),
    ("", _related),
    ("Problems", _problems),
)
"""The page's sections in order; one without lines is left out, one without a title has its own."""
