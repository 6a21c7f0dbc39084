"""One call, whichever vendor it came from.

Everything here is frozen. A field that the vendor does not give is ``None`` (or an empty
tuple); a field that we computed is named in `Call.derived`. Times are aware datetimes in
UTC, durations are seconds, ids and phone numbers are text exactly as the vendor wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

Json = Any
"""Whatever ``json.loads`` may return."""


class Direction(StrEnum):
    """Which way a call went. A vendor's unknown word is passed through as plain text."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class Outcome(StrEnum):
    """How a call ended, in words that are the same for every vendor."""

    ANSWERED = "answered"
    MISSED = "missed"
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Contact:
    """The person outside the company."""

    id: str | None = None
    name: str | None = None
    number: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class CompanyNumber:
    """The company's own line that the call came in on or went out from."""

    number: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent's part in a call: a leg."""

    id: str | None = None
    name: str | None = None
    role: str | None = None
    department: str | None = None
    started_at: datetime | None = None
    answered: bool | None = None
    transfer: bool | None = None
    hangup_reason: str | None = None
    status: str | None = None
    """How this leg ended, in the vendor's own word."""
    hangup_code: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Disposition:
    """The agent's wrap-up of a call."""

    code: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Hangup:
    """Who ended the call (customer, agent, system, unknown) and the vendor's reason and code."""

    by: str | None = None
    reason: str | None = None
    code: str | None = None
    by_name: str | None = None
    """The name of the agent or customer who did, where the vendor tells which."""


@dataclass(frozen=True, slots=True)
class RecordingEvent:
    """Somebody recorded from one moment to another; `recorder` is that agent's id."""

    recorder: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of a recording. `url` is a secret: it is printed only when asked for."""

    id: str | None = None
    url: str | None = field(default=None, repr=False)
    name: str | None = None
    duration_s: float | None = None
    mime: str | None = None
    size: int | None = None
    media: str | None = None
    """``audio`` or ``video``, where the vendor says so."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    agent_id: str | None = None
    transfer: bool | None = None
    private: bool | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the archive keeps it and ``--json`` prints it (without account and triage)."""

    id: str
    provider: str
    direction: str | None = None
    outcome: str = Outcome.UNKNOWN
    status: str | None = None
    """The vendor's own word; for Liner the title from its dictionary of statuses."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    wait_s: float | None = None
    talk_s: float | None = None
    derived: tuple[str, ...] = ()
    """Names of the fields that we computed because the vendor gives none."""
    from_: str | None = None
    to: str | None = None
    contact: Contact = Contact()
    company_number: CompanyNumber = CompanyNumber()
    agents: tuple[Agent, ...] = ()
    ring_group: str | None = None
    queue: str | None = None
    ivr: str | None = None
    campaign: str | None = None
    disposition: Disposition = Disposition()
    hangup: Hangup = Hangup()
    tags: tuple[str, ...] = ()
    sla_met: bool | None = None
    callback_requested: bool | None = None
    original_call_id: str | None = None
    history_id: str | None = None
    """The vendor's name for what several calls are parts of, where it has one; not printed."""
    summary: str | None = None
    has_recording: bool | None = None
    """``None`` when the vendor does not say."""
    recording_events: tuple[RecordingEvent, ...] = ()
    recordings: tuple[Recording, ...] = ()
    recordings_known: bool = True
    """False while the list of recordings needs one more request (`Provider.recordings`)."""
    problems: tuple[str, ...] = ()
    """What of the vendor's row could not be read, each in a few words."""
    vendor_fields: Mapping[str, Json] = field(default_factory=dict, hash=False)
    """What this vendor alone has, under its own names: text, numbers, booleans, lists of text."""
    raw: Json = field(default=None, repr=False, compare=False)
    """The vendor's own JSON: one object; for CINNOX the list of the call's records (legs), for
    Liner with the items of its list of recordings under ``records`` once they were asked for.
    """


@dataclass(frozen=True, slots=True)
class CallQuery:
    """What to ask a vendor for. The period is fixed before a walk begins."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One step of a walk through a vendor's calls."""

    calls: tuple[Call, ...]
    cursor: str | None
    """Where the next page starts, to be given back to `Provider.pages`; ``None``: the end."""
    total: int | None = None
    """How many calls the whole walk has, where the vendor says so."""
    unknown_ids: tuple[str, ...] = ()
    """Ids that were asked for and do not exist (Nectar Desk); not an error."""
    unreadable: tuple[str, ...] = ()
    """What could not be shown at all, a line each; never the vendor's text unfiltered."""
    failed: tuple[str, ...] = ()
    """Ids or parts that failed although the rest of the page came, each with its reason."""
    notes: tuple[str, ...] = ()
    """What is worth saying and costs no call: a dictionary of names that cannot be had."""
    shortfall: str = ""
    """On a walk's last page, where calls are known to be missing: which, as ``100 of 345 calls``.
    The period then does not count as fetched.
    """
    watched: bool = False
    """Whether the vendor's part itself ends a walk that does not advance (`providers.advance`), as
    one must that looks through a list twice. Else whoever walks does.
    """


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a vendor's API can do, so that nobody asks ``if provider == ...``."""

    lists_calls: bool = True
    """False: calls are only given by id (Nectar Desk)."""
    page_size: int = 100
    gets_one_call: bool = True
    separate_recordings: bool = False
    """True: recordings are one more request per call (Liner)."""
    merges_records: bool = False
    """True: several records make one call, and may arrive on different pages (CINNOX)."""


SettingKind = Literal["text", "ids", "number", "choice", "flag"]
"""What a setting's value is:

    text    any text
    ids     ids and ranges, ``1000-1060,1071``; the key ends in ``_ids``
    number  a whole number from 0 on
    choice  one of the setting's `choices`
    flag    ``yes`` or ``no``
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an account, beside its name, base URL and token. It is never a secret: all
    settings stand in config.toml.
    """

    key: str
    """Key in config.toml, e.g. ``order_ids``."""
    option: str
    """Option of ``accounts add``, e.g. ``--order``."""
    title: str
    """As forms and listings name it."""
    help: str
    """One or two whole sentences."""
    required: bool = False
    kind: SettingKind = "text"
    default: str = ""
    """What holds where nothing is given."""
    choices: tuple[str, ...] = ()


Settings = Mapping[str, str]
"""An account's settings by `Setting.key`, as typed by the user."""


class CallRow(NamedTuple):
    """One line of the call table, as the archive gives it: plain values, no parsing needed."""

    key: int
    """The archive's own number of this call; stable for the life of the archive."""
    account: str
    id: str
    provider: str
    started_at: float | None
    """Unix seconds, UTC."""
    direction: str | None
    outcome: str
    status: str | None
    contact: str | None
    """The contact's name."""
    number: str | None
    """The contact's number, as the vendor wrote it."""
    company: str | None
    """The company's line: its name, or else its number."""
    agents: str | None
    """Agents' names (ids where no name is known), comma-separated, in order."""
    ring_group: str | None
    """Ring group, or else queue, or else the first agent's department."""
    campaign: str | None
    disposition: str | None
    note: str | None
    tags: str | None
    duration_s: float | None
    wait_s: float | None
    talk_s: float | None
    has_recording: bool | None
    recordings: int
    """How many recordings are known."""
    problems: int
    """How many things of the vendor's row could not be read."""
    state: str = "new"
    """What we decided: new, open, follow-up, done, snoozed."""
    snoozed_until: float | None = None
    """Unix seconds, UTC; may be over."""
    our_tags: str | None = None
    """Our own tags, comma-separated."""
    closed_by: str | None = None
    """``account:id`` of the later answered call with this number, if this one waited for it."""
    closed_at: float | None = None
    """When that call began: Unix seconds, UTC."""
    held: bool = False
    """Whether the call is on hold: nothing removes it."""
    heard: str | None = None
    """``heard`` when all of its recordings were, ``part`` when one was begun."""
    trouble: str | None = None
    """Why a recording could not be played when last tried: a key of `RECORDING_REASONS`."""
