"""How the sync of one account ended, and what is remembered of it for the next one."""

from __future__ import annotations

from dataclasses import dataclass, field

from providers.errors import ProviderError, RateLimited, Unreachable
from tui.archive import codec
from tui.archive.interface import CallArchive
from tui.archive.records import AccountState, Saved
from tui.query.dates import DAY_S
from tui.sync.account_states import INCOMPLETE
from tui.sync.recheck import pause_s

MOST_LINES = 200
"""So many problems of one account are kept; a bad walk has one for each of its calls."""
MOST_NOTES = 20
"""So many notes stand in the one line of a state."""


@dataclass(slots=True)
class Report:
    """How the sync of one account ended."""

    account: str
    saved: Saved = field(default_factory=Saved)
    fetched: int = 0
    unknown_ids: int = 0
    recordings: int = 0
    problems: list[str] = field(default_factory=list)
    """What failed, is missing or could not be read while the rest was kept: the first
    `MOST_LINES` different lines.
    """
    failed: int = 0
    """How often something did, each time a line was told."""
    notes: dict[str, None] = field(default_factory=dict)
    """What is worth saying, each once, and no failure."""
    error: ProviderError | None = None
    """Why it stopped early, if it did."""
    unkept: Exception | None = None
    """The archive's trouble, where nothing more could be kept: it is the same for all accounts."""
    complete: bool = True
    """False when a limit of pages was reached before the end."""
    shortfall: str = ""
    """Which calls the vendor has and did not give, now or earlier: ``100 of 345 calls``."""
    again_at: float | None = None
    """When the vendor may be asked again, where it said so: Unix seconds."""
    vanished: list[str] = field(default_factory=list)
    """Ids of calls here that the vendor surely has no more."""

    def tell(self, *problems: str) -> None:
        """Count these, and keep the lines that are not among `problems` yet."""
        self.failed += len(problems)
        for line in problems:
            if len(self.problems) < MOST_LINES and line not in self.problems:
                self.problems.append(line)

    @property
    def state(self) -> str:
        if self.error:
            return self.error.kind
        return INCOMPLETE if self.shortfall else "fresh"

    @property
    def message(self) -> str:
        """The state in a sentence; what was worth saying where all is well."""
        return str(self.error or "") or self.shortfall or _listed([*self.notes])


def _listed(lines: list[str]) -> str:
    more = len(lines) - MOST_NOTES
    return "; ".join(lines[:MOST_NOTES]) + (f"; and {more:,} more" if more > 0 else "")


def could_not_begin(archive: CallArchive, account: str, error: ProviderError, at: float) -> Report:
    """The report of a sync that could not begin."""
    report = Report(account, error=error, complete=False)
    remember(archive, report, at)
    return report


def remember(archive: CallArchive, report: Report, at: float) -> None:
    """Keep how a sync ended, and until when a vendor that limits requests is left alone."""
    before = archive.account_states().get(report.account)
    tries = 0
    if isinstance(report.error, RateLimited):
        tries = 1 + (before.tries if before and before.state == RateLimited.kind else 0)
    told = getattr(report.error, "retry_after_s", None)
    if told is not None:
        report.again_at = at + min(told, DAY_S)
    said = codec.storable(report.message)
    state = AccountState(report.state, said, at, report.again_at, tries)
    with archive.transaction():
        archive.save_account_state(report.account, state)


def held_back(state: AccountState | None, now: float, automatic: bool) -> float | None:
    """Until when an account is not asked (Unix seconds): as long as its vendor said, and where it
    only refused, longer each time unless somebody asks. None: it may be asked.
    """
    if state is None:
        return None
    until = state.again_at
    if until is None and automatic and state.state == RateLimited.kind:
        until = state.at + pause_s(state.tries)
    return until if until is not None and now < until else None


def left_alone(archive: CallArchive, account: str, now: float, automatic: bool) -> Report | None:
    """The report of a sync that is not to begin, for the vendor wants not to be asked yet."""
    state = archive.account_states().get(account)
    until = held_back(state, now, automatic)
    if state is None or until is None:
        return None
    kind = Unreachable if state.state == Unreachable.kind else RateLimited
    error = kind("Not asked", "the vendor wants to be left alone for a while")
    return Report(account, error=error, complete=False, again_at=until)
