"""The fields that a query line can name, once: parser, archive, completion and help read them.

They are called as the columns and the labels of a call's page are. A field that one vendor alone
has is asked for by that vendor's own name; those that are documented stand here, any other is
known by the calls that have it (`tui.archive.sqlite.search.search_index.SearchIndex.has_field`).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["name", "exact", "text", "number", "kept", "choice", "time"]
"""How a field is looked in:

    name    names that are counted: a column of the archive's facets
    exact   the whole value
    text    words of a text that bare words find, too
    number  digits of a number, or its words
    kept    words that stand in the archive's column ``fields``
    choice  one of a few words
    time    a period
"""


class Field(NamedTuple):
    """One field. `column` is where the archive has it."""

    name: str
    kind: Kind
    column: str
    title: str
    """As columns and pages name it."""
    also: tuple[str, ...] = ()
    """Other words for it."""


TABLE = (
    Field("account", "exact", "account", "Account"),
    Field("vendor", "exact", "provider", "Vendor"),
    Field("id", "exact", "id", "Call id"),
    Field("dir", "choice", "direction", "Direction", ("direction",)),
    Field("outcome", "choice", "outcome", "Outcome"),
    Field("state", "choice", "state", "State"),
    Field("rec", "choice", "recording", "Rec", ("recording",)),
    Field("contact", "text", "contact", "Contact", ("name",)),
    Field("number", "number", "number", "Number"),
    Field("from", "number", "from", "From"),
    Field("to", "number", "to", "To"),
    Field("line", "number", "line", "Line"),
    Field("email", "kept", "email", "Email"),
    Field("lead", "kept", "lead", "Contact id", ("contactid",)),
    Field("agent", "name", "agents", "Agents", ("agents",)),
    Field("department", "kept", "department", "An agent's department"),
    Field("role", "kept", "role", "An agent's role"),
    Field("leg", "kept", "leg", "How an agent's part ended"),
    Field("group", "name", "ring_group", "Ring group", ("ringgroup",)),
    Field("queue", "name", "queue", "Queue"),
    Field("ivr", "kept", "ivr", "IVR"),
    Field("campaign", "name", "campaign", "Campaign"),
    Field("dispo", "name", "disposition", "Disposition", ("disposition", "code")),
    Field("note", "text", "note", "Note"),
    Field("summary", "text", "summary", "Summary"),
    Field("tag", "name", "tags", "Tags", ("tags",)),
    Field("status", "name", "status", "Status"),
    Field("hangup", "kept", "hangup", "Hang-up"),
    Field("sla", "kept", "sla", "SLA met"),
    Field("callback", "kept", "callback", "Call back"),
    Field("original", "kept", "original", "Original"),
    Field("started", "time", "period", "Started", ("time",)),
    Field("ended", "time", "ended", "Ended"),
    Field("triaged", "time", "triaged", "When that was decided"),
    # CINNOX
    Field("calltype", "kept", "calltype", "callType"),
    Field("recordtype", "kept", "recordtype", "recordType"),
    Field("fromregion", "kept", "fromregion", "fromRegion"),
    Field("fromip", "kept", "fromip", "fromIP"),
    Field("callpreparefromnum", "number", "callPrepareFromNum", "callPrepareFromNum"),
    # Nectar Desk
    Field("is_in_queue", "kept", "isinqueue", "is_in_queue"),
    Field("list_ids", "kept", "listids", "list_ids"),
    Field("transferred_to", "number", "transferred_to", "transferred_to"),
    # Liner
    Field("ispredictive", "kept", "ispredictive", "isPredictive"),
    Field("sipendpointid", "kept", "sipendpointid", "sipEndpointId"),
)
VENDOR_NUMBERS = ("callPrepareFromNum", "transferred_to")
"""Fields of one vendor that are numbers, as that vendor names them."""


def plain(name: str) -> str:
    """A field's name as it is compared and indexed: ``is_in_queue`` is ``isinqueue``."""
    return re.sub(r"[\W_]", "", name.lower())


FIELDS = {plain(word): field for field in TABLE for word in (field.name, *field.also)}
"""Every word before a colon, and its field."""
COMMON = (
    *("account", "agent", "contact", "number", "group", "queue", "campaign", "tag", "dispo"),
    *("note", "outcome", "dir", "status", "id", "state"),
)
"""Those that are named where one is not known."""


def field_of(word: str) -> Field | None:
    return FIELDS.get(plain(word))


def vendor_field(word: str) -> Field:
    """A field that only calls know."""
    return Field(word, "kept", plain(word), word)
