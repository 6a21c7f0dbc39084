"""The fields of a call, once: all tables of columns, orders, query terms, counts and exports are
made from this one.

A new column of the call table is a line here, its field in `providers.model.CallRow` before
`heard`, and a migration that adds it to the archive's table ``call`` and fills it. A new word of
the query line is a line here; with the kind ``detail`` it finds calls archived before, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from providers.model import Agent, Call

Kind = Literal["name", "exact", "text", "number", "kept", "detail", "choice", "time"]
"""How a field is looked in:

    name    names that are counted: a column of the archive's facets
    exact   the whole value
    text    words of a text that bare words find, too
    number  digits of a number, or its words
    kept    words that are indexed under the field's name
    detail  words at a path of the call's ``--json``, which are not indexed
    choice  one of a few words
    time    a period
"""


class Shown(NamedTuple):
    """A column of the call table. Widths are in cells; the lowest `priority` is the last to be
    dropped, `order` is the place in the list of columns.
    """

    order: int
    title: str
    width: int
    min_width: int
    priority: int
    description: str
    form: Literal["text", "length", "own"] = "text"
    """Text or seconds as they are, or what `widgets.columns` makes of the row."""
    flexible: bool = False
    """Takes its share of what the others leave."""
    sort: bool = True
    """Whether its heading sorts."""
    descending: bool = False
    """Whether its largest values are wanted first."""


class Asked(NamedTuple):
    """What the query line calls a field."""

    word: str
    kind: Kind
    column: str = ""
    """Where the archive has it, or the path in the call's JSON; empty: `CallField.column`, or the
    word itself.
    """
    also: tuple[str, ...] = ()
    """Other words for it."""


class Counted(NamedTuple):
    """A field whose values stand in the sidebar, each with its number of calls."""

    order: int
    title: str


class CallField(NamedTuple):
    """One field, and all that is known of it."""

    id: str
    """In config.toml, in ``--columns`` and where it is sorted by."""
    title: str
    """As a call's page and the help name it."""
    column: str = ""
    """In the archive's table ``call`` and in `providers.model.CallRow`."""
    value: Callable[[Call], Any] | None = None
    """What is kept of a call there, or is indexed: a text, several, a number, a truth value."""
    leg: Callable[[Agent], Any] | None = None
    """The same of each agent's part in the call."""
    whole: bool = False
    """A text that is not cut in the table's line."""
    shown: Shown | None = None
    sort: Literal["", "value", "text"] = ""
    """Text is sorted whatever its case."""
    asked: Asked | None = None
    compared: tuple[str, ...] = ()
    """Words that its seconds are compared by: ``dur>120``."""
    facet: Literal["", "one", "any", "several"] = ""
    """How many of the index's values a call has: always one, at most one, or several."""
    counted: Counted | None = None
    export: tuple[str, ...] = ()
    """By their names in ``--json``."""
    mask: Literal["", "name", "number", "text", "hidden"] = ""
    """How the row's text is masked for others."""
    impersonal: bool = False
    """Whether its values name no people, so that they are suggested while calls are masked."""
    vendors_own: bool = False
    """Whether one vendor alone has it, under this name in `Call.vendor_fields`."""


def _department(call: Call) -> str | None:
    return next((agent.department for agent in call.agents if agent.department), None)


@lru_cache(1024)  # the same fields come with every call
def plain(name: str) -> str:
    """A field's name as it is compared and indexed: ``is_in_queue`` is ``isinqueue``."""
    return re.sub(r"[\W_]", "", name.lower())


def _vendors_own(name: str, kind: Literal["kept", "number"] = "kept") -> CallField:
    """A field that one vendor alone has. Others that it has are found, too; those are documented,
    and a number is looked for as one.
    """
    column = name if kind == "number" else plain(name)
    return CallField(name, name, asked=Asked(name.lower(), kind, column), vendors_own=True)


CALL_FIELDS = (
    CallField(
        "account",
        "Account",
        column="account",
        shown=Shown(19, "Account", 10, 8, 9, "The account"),
        sort="value",
        asked=Asked("account", "exact"),
        facet="one",
        export=("account",),
        impersonal=True,
    ),
    CallField(
        "vendor",
        "Vendor",
        column="provider",
        value=lambda call: call.provider,
        whole=True,
        shown=Shown(20, "Vendor", 8, 6, 20, "The vendor"),
        sort="value",
        asked=Asked("vendor", "exact"),
        facet="one",
        export=("provider",),
        impersonal=True,
    ),
    CallField(
        "id",
        "Call id",
        column="id",
        value=lambda call: call.id,
        whole=True,
        shown=Shown(21, "Call id", 14, 8, 21, "The vendor's id", sort=False),
        sort="value",
        asked=Asked("id", "exact"),
        export=("id",),
    ),
    CallField(
        "direction",
        "Direction",
        column="direction",
        value=lambda call: call.direction,
        shown=Shown(1, "Dir", 3, 3, 4, "in, out or int (internal)", "own"),
        sort="value",
        asked=Asked("dir", "choice", also=("direction",)),
        facet="one",
        export=("direction",),
        mask="text",
        impersonal=True,
    ),
    CallField(
        "outcome",
        "Outcome",
        column="outcome",
        value=lambda call: call.outcome,
        whole=True,
        shown=Shown(2, "Outcome", 9, 9, 1, "How the call ended: answered, missed, busy ...", "own"),
        sort="value",
        asked=Asked("outcome", "choice"),
        facet="one",
        counted=Counted(1, "Outcomes"),
        export=("outcome",),
        impersonal=True,
    ),
    CallField(
        "state",
        "State",
        column="state",
        shown=Shown(
            11, "State", 6, 6, 6, "What we decided; back: called back since, h: on hold", "own"
        ),
        sort="value",
        asked=Asked("state", "choice"),
        export=("triage.state", "triage.note", "triage.tags"),
        impersonal=True,
    ),
    CallField(
        "recording",
        "Rec",
        column="has_recording",
        value=lambda call: call.has_recording,
        shown=Shown(
            *(10, "Rec", 8, 3, 5),
            "R recording, R2 two; + heard, ~ in part, ! not playable, . soon; - none, ? unknown",
            "own",
            descending=True,
        ),
        sort="value",
        asked=Asked("rec", "choice", "recording", ("recording",)),
        facet="one",
        export=("has_recording", "recordings"),
        impersonal=True,
    ),
    CallField(
        "contact",
        "Contact",
        column="contact",
        value=lambda call: call.contact.name,
        shown=Shown(
            *(3, "Contact", 20, 10, 2),
            "The customer's name, or else the number",
            flexible=True,
        ),
        sort="text",
        asked=Asked("contact", "text", also=("name",)),
        export=("contact.name",),
        mask="name",
    ),
    CallField(
        "number",
        "Number",
        column="number",
        value=lambda call: call.contact.number,
        shown=Shown(4, "Number", 16, 13, 8, "The customer's number"),
        sort="value",
        asked=Asked("number", "number"),
        export=("contact.number",),
        mask="number",
    ),
    CallField("from", "From", asked=Asked("from", "number")),
    CallField("to", "To", asked=Asked("to", "number")),
    CallField(
        "line",
        "Line",
        column="company",
        value=lambda call: call.company_number.name or call.company_number.number,
        shown=Shown(16, "Line", 12, 8, 14, "The company's own number"),
        sort="text",
        asked=Asked("line", "number", "line"),
        export=("company_number.number", "company_number.name"),
        mask="text",
    ),
    CallField(
        "email", "Email", value=lambda call: call.contact.email, asked=Asked("email", "kept")
    ),
    CallField(
        "lead",
        "Contact id",
        value=lambda call: call.contact.id,
        asked=Asked("lead", "kept", also=("contactid",)),
    ),
    CallField(
        "agents",
        "Agents",
        column="agents",
        value=lambda call: tuple(dict.fromkeys(one.name or one.id for one in call.agents)),
        shown=Shown(5, "Agents", 14, 8, 7, "The agents, in order", flexible=True),
        sort="text",
        asked=Asked("agent", "name", also=("agents",)),
        facet="several",
        counted=Counted(0, "Agents"),
        export=("agents",),
        mask="name",
    ),
    CallField(
        "department",
        "An agent's department",
        leg=lambda agent: agent.department,
        asked=Asked("department", "kept"),
    ),
    CallField("role", "An agent's role", leg=lambda agent: agent.role, asked=Asked("role", "kept")),
    CallField(
        "leg",
        "How an agent's part ended",
        leg=lambda agent: (agent.status, agent.hangup_reason, agent.hangup_code),
        asked=Asked("leg", "kept"),
    ),
    CallField(
        "group",
        "Ring group",
        column="ring_group",
        value=lambda call: call.ring_group or call.queue or _department(call),
        shown=Shown(6, "Group", 12, 8, 15, "Ring group, queue or department"),
        sort="text",
        asked=Asked("group", "name", also=("ringgroup",)),
        facet="any",
        counted=Counted(3, "Groups"),
        export=("ring_group", "queue"),
        mask="text",
        impersonal=True,
    ),
    CallField(
        "queue",
        "Queue",
        column="queue",
        value=lambda call: call.queue,
        asked=Asked("queue", "name"),
        facet="any",
        impersonal=True,
    ),
    CallField(
        "ivr", "IVR", value=lambda call: call.ivr, asked=Asked("ivr", "kept"), impersonal=True
    ),
    CallField(
        "campaign",
        "Campaign",
        column="campaign",
        value=lambda call: call.campaign,
        shown=Shown(17, "Campaign", 12, 8, 18, "The campaign"),
        sort="text",
        asked=Asked("campaign", "name"),
        facet="any",
        export=("campaign",),
        mask="text",
        impersonal=True,
    ),
    CallField(
        "disposition",
        "Disposition",
        column="disposition",
        value=lambda call: call.disposition.code,
        shown=Shown(13, "Disposition", 14, 11, 10, "The agent's wrap-up code", flexible=True),
        sort="text",
        asked=Asked("dispo", "name", also=("disposition", "code")),
        facet="any",
        counted=Counted(2, "Dispositions"),
        export=("disposition.code",),
        mask="text",
        impersonal=True,
    ),
    CallField(
        "note",
        "Note",
        column="note",
        value=lambda call: call.disposition.note,
        whole=True,
        shown=Shown(14, "Note", 20, 10, 11, "The agent's wrap-up note", flexible=True, sort=False),
        sort="text",
        asked=Asked("note", "text"),
        export=("disposition.note",),
        mask="hidden",
    ),
    CallField("summary", "Summary", asked=Asked("summary", "text")),
    CallField(
        "tags",
        "Tags",
        column="tags",
        value=lambda call: call.tags,
        shown=Shown(15, "Tags", 12, 8, 12, "Our tags, and the vendor's", "own", sort=False),
        sort="text",
        asked=Asked("tag", "name", also=("tags",)),
        facet="several",
        counted=Counted(4, "Tags"),
        export=("tags",),
        mask="text",
        impersonal=True,
    ),
    CallField(
        "status",
        "Status",
        column="status",
        value=lambda call: call.status,
        shown=Shown(18, "Status", 12, 8, 19, "The vendor's own word"),
        sort="text",
        asked=Asked("status", "name"),
        facet="any",
        export=("status",),
        mask="text",
        impersonal=True,
    ),
    CallField(
        "hangup",
        "Hang-up",
        value=lambda call: (
            call.hangup.by,
            call.hangup.by_name,
            call.hangup.reason,
            call.hangup.code,
        ),
        asked=Asked("hangup", "kept"),
    ),
    CallField("sla", "SLA met", value=lambda call: call.sla_met, asked=Asked("sla", "kept")),
    CallField(
        "callback",
        "Call back",
        value=lambda call: call.callback_requested,
        asked=Asked("callback", "kept"),
    ),
    CallField(
        "original",
        "Original",
        value=lambda call: call.original_call_id,
        asked=Asked("original", "kept"),
    ),
    CallField(
        "time",
        "Started",
        column="started_at",
        shown=Shown(
            *(0, "Time", 12, 12, 0),
            "When the call began, in your time zone",
            "own",
            descending=True,
        ),
        sort="value",
        asked=Asked("started", "time", "period", ("time",)),
        export=("started_at",),
    ),
    CallField("ended", "Ended", asked=Asked("ended", "time")),
    CallField("triaged", "When that was decided", asked=Asked("triaged", "time")),
    CallField(
        "duration",
        "Length",
        column="duration_s",
        value=lambda call: call.duration_s,
        shown=Shown(7, "Length", 7, 7, 3, "From the ring to the end", "length", descending=True),
        sort="value",
        compared=("dur", "length"),
        export=("duration_s",),
    ),
    CallField(
        "wait",
        "Wait",
        column="wait_s",
        value=lambda call: call.wait_s,
        shown=Shown(8, "Wait", 7, 5, 16, "Until it was answered", "length", descending=True),
        sort="value",
        compared=("wait",),
        export=("wait_s",),
    ),
    CallField(
        "talk",
        "Talk",
        column="talk_s",
        value=lambda call: call.talk_s,
        shown=Shown(9, "Talk", 7, 7, 17, "While they talked", "length", descending=True),
        sort="value",
        compared=("talk",),
        export=("talk_s",),
    ),
    CallField(
        "closed",
        "Called back",
        column="closed_by",
        shown=Shown(
            *(12, "Called back", 24, 16, 13),
            "The later answered call with this number",
            "own",
            sort=False,
        ),
    ),
    # CINNOX
    _vendors_own("callType"),
    _vendors_own("recordType"),
    _vendors_own("fromRegion"),
    _vendors_own("fromIP"),
    _vendors_own("callPrepareFromNum", "number"),
    # Nectar Desk
    _vendors_own("is_in_queue"),
    _vendors_own("list_ids"),
    _vendors_own("transferred_to", "number"),
    # Liner
    _vendors_own("isPredictive"),
    _vendors_own("sipEndpointId"),
)

COLUMN_FIELDS = tuple(
    sorted(
        (field for field in CALL_FIELDS if field.shown),
        key=lambda field: field.shown.order if field.shown else 0,
    )
)
"""Those that the call table has a column of, in the order of the columns."""
