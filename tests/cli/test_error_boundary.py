"""Whatever fails over one account costs that account alone: each command says it in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Container
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from providers import media, registry
from providers.base import Login
from providers.errors import RateLimited
from providers.model import Call, CallQuery, Capabilities, Page, Recording
from providers.nectar import Nectar
from tests.archive.calls import call
from tests.slow_params import few
from tui.archive import merging
from tui.archive.errors import ArchiveUnavailable, StatementRefused
from tui.archive.merging import keep
from tui.archive.records import Saved
from tui.archive.sqlite import Archive
from tui.cli import main
from tui.config.paths import Paths
from tui.error_boundary import known
from tui.exit_codes import ExitCode

FAILURES: dict[str, BaseException] = {
    "a number too large": OverflowError("Python int too large to convert to SQLite INTEGER"),
    "a missing key": KeyError("id"),
    "a recursion": RecursionError(),
    "no memory": MemoryError(),
    "a row that the archive refuses": StatementRefused("UNIQUE constraint failed"),
    "no text": UnicodeError("label empty or too long"),
    "a group": BaseExceptionGroup("all of it", [ValueError("1"), ExceptionGroup("", [KeyError()])]),
    "a group that leaves": BaseExceptionGroup("out", [SystemExit(3)]),
    "a file": FileNotFoundError("settings.ini"),
    "an exit": SystemExit(0),
    "a cancelling that nobody asked for": asyncio.CancelledError(),
    "an assertion": AssertionError(),
}
PLACES = ("__init__", "__aenter__", "pages", "page", "__aexit__", "check", "call", "recordings")


class Odd:
    """A vendor's part that fails at one `place`."""

    id = "odd"
    title = "Odd"
    capabilities = Capabilities(separate_recordings=True)
    settings: ClassVar[Any] = ()
    parser_version = 1
    place: ClassVar[str] = ""
    failure: ClassVar[BaseException] = Exception()

    def __init__(self, login: Login) -> None:
        self.skip_ids: Container[str] = ()
        self.fail("__init__")

    def fail(self, place: str) -> None:
        if place == self.place:
            raise self.failure

    async def __aenter__(self) -> Odd:
        self.fail("__aenter__")
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.fail("__aexit__")

    async def check(self) -> str:
        self.fail("check")
        return "good"

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        self.fail("pages")
        yield Page((call(1, recordings_known=False),), "1")
        self.fail("page")
        yield Page((call(2),), None)

    async def call(self, call_id: str) -> Call:
        self.fail("call")
        return call(9)

    async def recordings(self, one: Call) -> Call:
        self.fail("recordings")
        return one

    def parse(self, raw: Any) -> Call:
        self.fail("parse")
        return call(int(raw["id"]), raw=raw)

    def merge(self, older: Any, newer: Any) -> Any:
        self.fail("merge")
        return newer

    def media_headers(self, url: str) -> dict[str, str]:
        return {}


class Well(Odd):
    """The same without a fault."""

    id = "well"

    def fail(self, place: str) -> None:
        pass


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> None:
    """An account at each."""
    points = {name: SimpleNamespace(load=lambda c=c: c, value=name) for name, c in VENDORS.items()}
    monkeypatch.setattr(registry, "others", lambda: points)
    monkeypatch.setattr(Odd, "place", "")
    for name in VENDORS:
        monkeypatch.setenv(f"RINGBACK_TOKEN_{name.upper()}", "t0ken-42")
        words = ["--provider", name, "--base-url", "https://api.vendor.test"]
        assert main(["accounts", "add", name, *words]) == ExitCode.DONE


VENDORS = {"odd": Odd, "well": Well}


def fail(monkeypatch: pytest.MonkeyPatch, place: str, failure: BaseException) -> None:
    monkeypatch.setattr(Odd, "place", place)
    monkeypatch.setattr(Odd, "failure", failure)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(words)
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    return code, said.out, said.err


@pytest.mark.parametrize("failure", few(2, FAILURES))
@pytest.mark.parametrize("place", ["__init__", "__aenter__", "pages", "page", "__aexit__"])
def test_the_others_are_synced(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    paths: Paths,
    place: str,
    failure: str,
) -> None:
    fail(monkeypatch, place, FAILURES[failure])
    code, out, err = run(capsys, "sync")
    assert code == ExitCode.PARTLY
    assert err.startswith("odd: Not understood: ") and "(ringback paths)" in err, err
    assert "well: 2 new" in out
    with Archive(paths.archive_file) as archive:
        assert archive.account_states()["odd"].state == "not understood"
        assert archive.account_states()["well"].state == "fresh"
        assert archive.counts_by_account()["well"] == 2
        assert archive.counts_by_account().get("odd", 0) == {"page": 1, "__aexit__": 2}.get(
            place, 0
        )
    log = paths.log_file.read_text()
    assert "Traceback" in log and "account odd: an error" in log
    assert run(capsys, "sync", "odd")[0] == (
        ExitCode.PARTLY if place in ("page", "__aexit__") else 1
    )
    assert "not understood" in run(capsys, "accounts", "list")[1]
    fail(monkeypatch, "", Exception())
    assert run(capsys, "sync")[0] == ExitCode.DONE


ASKING = {
    "accounts test odd": ("__init__", "__aenter__", "check", "__aexit__"),
    "refresh odd:1": ("__init__", "__aenter__", "call", "recordings"),
    "show odd:9": ("__init__", "__aenter__", "call"),
    "download odd:9": ("__init__", "__aenter__", "call", "recordings"),
    "play odd:9": ("__init__", "__aenter__", "call", "recordings"),
    "sync odd --recordings": ("recordings",),
}


@pytest.mark.parametrize(
    ("line", "place"), [(line, place) for line, places in ASKING.items() for place in places]
)
def test_what_asks_for_one_thing_says_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    paths: Paths,
    line: str,
    place: str,
) -> None:
    fail(monkeypatch, place, KeyError("id"))
    code, _, err = run(capsys, *line.split())
    assert code in (ExitCode.FAILED, ExitCode.PARTLY), err
    assert "Not understood: " in err and "odd" in err and 1 <= len(err.splitlines()) <= 3, err
    assert "Traceback" in paths.log_file.read_text()


@pytest.mark.parametrize("place", ["parse", "merge"])
def test_an_odd_row_costs_itself_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, paths: Paths
) -> None:
    """Call 1 is in the archive in another state, so that the two are to be merged."""
    with Archive(paths.archive_file) as archive, archive.transaction():
        archive.save("odd", [call(1, raw={"id": 1, "older": True})])
    fail(monkeypatch, place, TypeError("no"))
    monkeypatch.setattr(
        Odd, "pages", lambda *_: _pages(call(1, raw={"id": 1}), call(2), call(3, id="[red]3"))
    )
    code, out, err = run(capsys, "sync", "odd")
    assert code == ExitCode.PARTLY and "odd: 2 new" in out
    assert err.startswith("odd: call 1: Not understood: "), err
    with Archive(paths.archive_file) as archive:
        assert archive.counts_by_account()["odd"] == 3 and not archive.unfinished_periods("odd")


def test_an_odd_body_of_a_file_costs_itself_alone(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    paths: Paths,
    tmp_path: Path,
) -> None:
    parse = Nectar.parse

    def odd(self: Nectar, raw: Any) -> Call:
        if raw["id"] == 2:
            raise RecursionError
        return parse(self, raw)

    monkeypatch.setattr(Nectar, "parse", odd)
    file = tmp_path / "saved.json"
    file.write_text(json.dumps([{"calls": {"id": n, "type": "answered"}} for n in (1, 2, 3)]))
    words = ["--provider", "nectar", "--base-url", "https://api.vendor.test"]
    assert main(["accounts", "add", "desk", *words]) == ExitCode.DONE
    code, out, err = run(capsys, "import", "desk", str(file))
    assert code == ExitCode.PARTLY and out.startswith("desk: 2 new")
    assert err.startswith("desk: a body: Not understood: ")


def test_doctor_goes_on_behind_a_recording_over_which_it_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], paths: Paths
) -> None:
    with Archive(paths.archive_file) as archive, archive.transaction():
        one = Recording("r", url="https://files.vendor.test/r")
        archive.save("odd", [call(1, recordings=(one,), has_recording=True)])

    async def fail(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr(media.Remote, "open", fail)
    out = run(capsys, "doctor")[1]
    assert "odd: files.vendor.test: Not understood: " in out and "sound way" in out


async def _pages(*calls: Call) -> AsyncIterator[Page]:
    yield Page(calls, None)


ODD_CALLS: dict[str, dict[str, Any]] = {
    "a size beyond 64 bits": {"recordings": (Recording("r", size=10**30),)},
    "a duration beyond all numbers": {"duration_s": 10**400},
    "an infinite duration": {"duration_s": float("inf")},
    "text of half a letter": {"status": "\ud800"},
    "an id of half a letter": {"id": "\udfff"},
    "a number for text": {"status": 10**30},
    "a list for text": {"direction": ["in"]},
    "a text for a time": {"started_at": "yesterday"},
}


@pytest.mark.parametrize("name", ODD_CALLS)
def test_odd_fields_of_a_vendors_part_cost_their_call_at_most(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, paths: Paths
) -> None:
    odd = ODD_CALLS[name]
    monkeypatch.setattr(Odd, "pages", lambda *_: _pages(call(1), call(2, **odd), call(3)))
    code, _, err = run(capsys, "sync", "odd")
    with Archive(paths.archive_file) as archive:
        kept = archive.counts_by_account()["odd"]
    assert (code, kept) == (ExitCode.DONE, 3) or (
        (code, kept) == (ExitCode.PARTLY, 2) and err.startswith("odd: call ")
    ), err
    assert run(capsys, "calls", "--json")[0] == run(capsys, "calls")[0] == ExitCode.DONE


TOTALS = [10**20, -5, 3.5, float("nan"), "many", True, {"total": 3}, [], 2**63, 2**63 - 1]


@pytest.mark.parametrize("total", TOTALS, ids=repr)
def test_an_odd_total_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], total: Any
) -> None:
    async def pages(*_: object) -> AsyncIterator[Page]:
        yield Page((call(1),), "1", total=total)
        yield Page((call(2),), None, total=total)

    monkeypatch.setattr(Odd, "pages", pages)
    assert run(capsys, "sync", "odd")[0] == ExitCode.DONE


def test_a_disk_that_fills_up_costs_no_account_its_state(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], paths: Paths
) -> None:
    def full(archive: Archive, account: str, *rest: Any, **options: Any) -> Saved:
        if account == "odd":
            raise ArchiveUnavailable("database or disk is full")
        return keep(archive, account, *rest, **options)

    monkeypatch.setattr(merging, "keep", full)
    code, out, err = run(capsys, "sync")
    assert code == ExitCode.PARTLY and out == "well: 2 new, 0 changed, 0 as before\n"
    assert err.splitlines() == [
        "ringback: the archive: database or disk is full (nothing more was kept of odd)",
        "What was kept before stays.",
    ]
    assert run(capsys, "sync", "odd")[0] == ExitCode.FAILED


def test_a_known_error_in_a_group_stays_known(paths: Paths) -> None:
    limit = RateLimited("Too many requests", retry_after_s=60)
    group = ExceptionGroup("two", [ValueError(), ExceptionGroup("inner", [limit])])
    assert known(paths, "odd", group) is limit


async def test_a_cancelled_task_is_cancelled(paths: Paths) -> None:
    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            group = BaseExceptionGroup("", [ValueError(), error])
            raise known(paths, "odd", group) from None

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_where_no_log_can_be_kept_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], paths: Paths
) -> None:
    paths.log_file.unlink(missing_ok=True)
    paths.log_file.mkdir(parents=True)
    fail(monkeypatch, "check", KeyError("id"))
    code, _, err = run(capsys, "accounts", "test", "odd")
    assert code == ExitCode.FAILED and "No log can be kept" in err


def test_an_account_that_cannot_be_read_is_a_part_that_failed(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    with paths.config_file.open("a") as file:
        file.write('\n[accounts.lame]\nprovider = "liner"\n')
    assert main(["sync"]) == ExitCode.PARTLY
    assert "accounts.lame" in capsys.readouterr().err
    assert main(["sync", "well"]) == ExitCode.DONE


def test_doctor_names_a_vendor_that_does_not_load(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> type[Odd]:
        raise ModuleNotFoundError("acme_ringback")

    points = {**registry.others(), "acme": SimpleNamespace(load=fails, value="acme_ringback:Acme")}
    monkeypatch.setattr(registry, "others", lambda: points)
    told = [line for line in run(capsys, "doctor")[1].splitlines() if " vendor " in line]
    assert (
        len(told) == 1 and "'acme' (acme_ringback:Acme) failed with ModuleNotFoundError" in told[0]
    )
    assert "Update or uninstall the package" in told[0]
