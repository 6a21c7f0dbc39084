"""Calls that a vendor has no more: our copy goes too, unless it is on hold or decided about.

No list tells: it may be short, filtered or late. What counts is the vendor's answer to the very
question for that call (404, 410), twice and at least an hour apart, each time while it gives
another call that it is asked for in the same way. A vendor that gives no single calls tells
nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from providers.base import Provider
from providers.counts import counted
from providers.errors import NotFound, ProviderError
from tui import audit_log
from tui.archive.interface import CallArchive
from tui.archive.triage_events import UNTOUCHED
from tui.call_links import held_text
from tui.query.dates import HOUR_S
from tui.removal.purge import remove_files
from tui.services import Services

AGAIN_S = HOUR_S
"""So far apart the two answers are, at least."""
ASKED = 20
"""Calls that a sync asks for by their ids because they may be gone, at most."""
WITNESSES = 3
"""Other calls that are asked for, until one of them comes."""


class Gone(NamedTuple):
    """What became of calls that their vendor has no more."""

    removed: frozenset[str] = frozenset()
    """Ids."""
    held: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    """Decided about, or config.toml wants them kept."""

    @property
    def words(self) -> str:
        """``2 calls that the vendor deleted were removed; ...``; empty: nothing happened."""
        said = []
        if self.removed:
            were = "was" if len(self.removed) == 1 else "were"
            said.append(
                f"{counted(len(self.removed), 'call')} that the vendor deleted {were} removed"
            )
        if self.held:
            said.append(f"deleted at the vendor: {held_text(len(self.held))}")
        if self.kept:
            stay = "stays" if len(self.kept) == 1 else "stay"
            said.append(
                f"deleted at the vendor: {counted(len(self.kept), 'call')} {stay} until:"
                " ringback purge --deleted"
            )
        return "; ".join(said)


async def surely_gone(
    provider: Provider, archive: CallArchive, account: str, ids: Iterable[str], now: float
) -> list[str]:
    """Of calls for which the vendor, asked for just them, has just said that it has none: those
    of which that is sure. The others are remembered.
    """
    here = [id_ for id_ in dict.fromkeys(ids) if archive.key_of(account, id_) is not None]
    if not here or not provider.capabilities.gets_one_call:
        return []
    if not await _gives_another(provider, archive, account, {*here}):
        return []
    return [id_ for id_ in here if archive.note_vanished(account, id_, now, AGAIN_S)]


async def _gives_another(
    provider: Provider, archive: CallArchive, account: str, others: set[str]
) -> bool:
    """Whether the vendor gives some call when it is asked for it by its id."""
    known = archive.newest_ids(account, WITNESSES + len(others))
    for id_ in [one for one in known if one not in others][:WITNESSES]:
        try:
            return (await provider.call(id_)).id == id_
        except NotFound:
            continue
        except ProviderError:
            return False
    return False


async def ask_again(
    provider: Provider, archive: CallArchive, account: str, absent: Sequence[str], now: float
) -> list[str]:
    """Ask for calls by their ids: those of which the vendor said before that it has none, and
    those that its list lacks (`absent`). The ids of those that it says it has not.
    """
    from tui.archive.merging import keep

    if not provider.capabilities.gets_one_call:
        return []
    suspects = archive.suspects(account, now - AGAIN_S, ASKED)
    gone = []
    for id_ in list(dict.fromkeys([*suspects, *absent]))[:ASKED]:
        try:
            found = await provider.call(id_)
        except NotFound:
            gone.append(id_)
        except ProviderError:  # it tells nothing of the call; the walks have told of the vendor
            break
        else:
            with archive.transaction():
                keep(archive, account, provider, [found], now)
    return gone


def take_away(services: Services, archive: CallArchive, account: str, ids: Sequence[str]) -> Gone:
    """Remove calls that their vendor surely has no more, with their recordings; but those on
    hold, and those that somebody decided about. Raises OSError and `ArchiveError`.
    """
    keys = {id_: key for id_ in ids if (key := archive.key_of(account, id_)) is not None}
    on_hold = archive.held(keys.values())
    held = {id_ for id_, key in keys.items() if key in on_hold}
    wanted = services.settings().privacy.delete_when_vendor_deletes
    kept = {
        id_
        for id_ in keys.keys() - held
        if not wanted or archive.triage.of(account, id_) is not UNTOUCHED
    }
    going = [id_ for id_ in keys if id_ not in held | kept]
    if going:
        files = remove_files(services.paths, archive, [keys[id_] for id_ in going])
        archive.remove([keys[id_] for id_ in going], barred=False)
        with archive.transaction():  # a vendor that is asked by id need not be asked again soon
            archive.remember_unknown(account, going, services.now().timestamp())
        what = {"calls": len(going), "files": files, "accounts": [account]}
        audit_log.record(services.paths, audit_log.PURGE, by="vendor", **what)
    return Gone(frozenset(going), frozenset(held), frozenset(kept))
