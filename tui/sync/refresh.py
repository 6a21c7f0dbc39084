"""Single calls asked for anew, with their recordings: what a person does who waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial

from providers.base import Provider
from providers.concurrency import gather_bounded
from providers.counts import counted
from providers.errors import AuthError, NotFound, ProviderError, RateLimited
from providers.model import Call
from tui.archive import codec
from tui.archive.interface import CallArchive
from tui.archive.merging import keep
from tui.config.accounts import Account
from tui.error_boundary import error_boundary
from tui.recordings.lookup import fetch_call
from tui.removal.deleted_at_vendor import Gone, surely_gone, take_away
from tui.services import Services
from tui.sync.account_states import until_words
from tui.sync.report import Report, left_alone, remember

QUIET = frozenset({"recordings", "recording_events", "summary", "has_recording", "problems"})
"""Fields that are told in words of their own, or are no news."""

GONE_ONCE = NotFound(
    "No such call",
    "it stays here as it was until the vendor has said so again, in an hour or later",
)
PURGED = NotFound("Purged", "it was removed here for good, and stays away")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of asking for one call anew."""

    account: str
    id: str
    changed: tuple[str, ...] = ()
    """Names of the fields of ``--json`` that are other than before."""
    recordings: int = 0
    """How many recordings came that were not known."""
    is_new: bool = False
    error: ProviderError | None = None
    again_at: float | None = None
    """When the vendor may be asked again, where it said so: Unix seconds."""

    @property
    def words(self) -> str:
        """``recording found``, ``2 recordings found, changed: outcome``, ``nothing new``."""
        if self.error:
            return str(self.error)
        if self.is_new:
            return "new here" + (f", {_found_words(self.recordings)}" if self.recordings else "")
        found = [_found_words(self.recordings)] if self.recordings else []
        found += ["summary found"] if "summary" in self.changed else []
        if others := [name for name in self.changed if name not in QUIET]:
            found.append(f"changed: {', '.join(others)}")
        if not found and self.changed:
            found.append("recordings changed")
        return ", ".join(found) or "nothing new"

    def line(self, now: datetime, zone: tzinfo) -> str:
        """``desk:9: recording found``; with it until when a vendor that limits requests waits."""
        until = until_words(self.again_at, now, zone)
        return f"{self.account}:{self.id}: {self.words}" + (f" ({until})" if until else "")


def _found_words(recordings: int) -> str:
    return "recording found" if recordings == 1 else f"{counted(recordings, 'recording')} found"


async def refresh_calls(
    services: Services, account: Account, archive: CallArchive, ids: Sequence[str]
) -> list[Refreshed]:
    """Ask an account's vendor for calls anew and keep what comes over what is known; in the order
    of `ids`. A refused token or a vendor that limits requests ends it for those that are left.
    """
    done: dict[str, Refreshed] = {}
    now = services.now().timestamp()
    if report := left_alone(archive, account.name, now, automatic=False):
        early = Refreshed(account.name, "", error=report.error, again_at=report.again_at)
        return [replace(early, id=id_) for id_ in ids]
    fatal: ProviderError | None = None
    again_at: float | None = None
    fenced = partial(error_boundary, services.paths, account.name)
    gone: list[str] = []
    try:
        with fenced():
            token = await services.token(account)
            login = services.login(account, token, archive)
            provider = services.provider(account, login)
            async with provider:

                async def one(id_: str) -> None:
                    before = archive.call_by_id(account.name, id_)
                    try:
                        with fenced():
                            done[id_] = await _ask(services, account, archive, provider, id_)
                    except (AuthError, RateLimited):
                        raise
                    except ProviderError as error:
                        if isinstance(error, NotFound) and before is not None:
                            gone.append(id_)
                        done[id_] = Refreshed(account.name, id_, error=_in_words(error, before))

                await gather_bounded(one, dict.fromkeys(ids))
                sure = await surely_gone(provider, archive, account.name, gone, now)
            with archive.transaction():
                archive.save_names(account.name, login.names)
        for id_ in filter(lambda id_: archive.is_suspect(account.name, id_), gone):
            done[id_] = Refreshed(account.name, id_, error=GONE_ONCE)
        for id_, words in _told(take_away(services, archive, account.name, sure)).items():
            error = NotFound("Deleted at the vendor", words)
            done[id_] = Refreshed(account.name, id_, error=error)
    except ProviderError as error:
        fatal = error
        if isinstance(error, RateLimited):
            report = Report(account.name, error=error)
            remember(archive, report, now)
            again_at = report.again_at
    rest = {id_: Refreshed(account.name, id_, error=fatal, again_at=again_at) for id_ in ids}
    return [done.get(id_, rest[id_]) for id_ in ids]


async def _ask(
    services: Services, account: Account, archive: CallArchive, provider: Provider, id_: str
) -> Refreshed:
    """Ask for one call and keep what comes. Raises `ProviderError`."""
    before = archive.call_by_id(account.name, id_)
    newer = await fetch_call(provider, before or Call(id_, account.provider))
    with archive.transaction():
        keep(archive, account.name, provider, [newer], services.now().timestamp())
    after = archive.call_by_id(account.name, newer.id)
    if after is None:
        return Refreshed(account.name, id_, error=PURGED)
    return compared(account.name, before, after)


def _told(gone: Gone) -> dict[str, str]:
    """What to say of each call that its vendor surely has no more."""
    return {
        **dict.fromkeys(gone.removed, "it was removed here too"),
        **dict.fromkeys(gone.held, "it is on hold and stays here"),
        **dict.fromkeys(gone.kept, "it stays here until: ringback purge --deleted"),
    }


def _in_words(error: ProviderError, before: Call | None) -> ProviderError:
    if isinstance(error, NotFound) and before is not None:
        return NotFound(error.title, f"{error.message.rstrip('.')}; it stays here as it was")
    return error


def compared(account: str, before: Call | None, after: Call) -> Refreshed:
    """What is other than before."""
    new = codec.encode(after)
    old = codec.encode(before) if before else {}
    known = {one.id or one.url for one in before.recordings} if before else set()
    came = [one for one in after.recordings if (one.id or one.url) not in known]
    addressless = ({**one, "url": None} for one in old.get("recordings", ()))
    same = [*addressless] == [{**one, "url": None} for one in new["recordings"]]
    changed = [name for name, value in new.items() if value != old.get(name)]
    if same and "recordings" in changed:  # addresses alone are renewed each time
        changed.remove("recordings")
    return Refreshed(
        account, after.id, tuple(changed) if before else (), len(came), is_new=before is None
    )
