"""A token goes to the place that its account was added for, and to another after a yes alone.

Two real servers: one the account was added for, one to which `config.toml` leads afterwards.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from providers.errors import Unconfirmed
from tests.audio import sounds
from tests.providers.nectar_bodies import REST
from tests.providers.server import Answer, Request, Server
from tests.secrets.keyrings import install
from tests.slow_params import few
from tests.ui.calls_page import CallsPage, open_page
from tests.ui.terminal import Program
from tui.cli import main
from tui.config.accounts import AccountStore, make_account
from tui.config.paths import Paths
from tui.screens.accounts import AccountScreen, AccountsScreen
from tui.services import Services

TOKEN = "tok-SENTINEL-42"
SOUND = sounds.wav(sounds.tone(1, 8000), 8000)
Edit = Callable[[str, str, str], str]


def answer(server: Server) -> None:
    """A call whose recording wants the token."""

    def call(request: Request) -> Answer:
        if request.headers.get("Access-Token") != TOKEN:
            return Answer({"message": "no"}, 401)
        return Answer({**REST, "id": 1, "recordings": [{"id": 1, "url": f"{server.url}/rec"}]})

    def recording(request: Request) -> Answer:
        known = request.headers.get("Access-Token") == TOKEN
        return Answer(SOUND) if known else Answer(b"no", 401)

    server.on("/calls/1", call)
    server.on("/rec", recording)


@pytest.fixture
def first() -> Iterator[Server]:
    with Server() as server:
        answer(server)
        yield server


@pytest.fixture
def other() -> Iterator[Server]:
    with Server() as server:
        answer(server)
        yield server


def run(*words: str) -> int:
    return main(words)


def add(server: Server, *more: str, name: str = "desk-1") -> None:
    where = ["--provider", "nectar", "--base-url", server.url, "--ids", "1"]
    assert run("accounts", "add", name, *where, *more) == 0


def by_hand(server: Server, name: str = "desk-1") -> None:
    """As somebody writes an account into config.toml."""
    file = Paths.default().config_file
    file.parent.mkdir(0o700, parents=True, exist_ok=True)
    table = f'[accounts.{name}]\nprovider = "nectar"\nbase_url = "{server.url}"\ncall_ids = "1"\n'
    file.write_text(table)


def edit(change: Edit, one: Server, two: Server) -> None:
    file = Paths.default().config_file
    text = file.read_text()
    changed = change(text, one.url, two.url)
    assert changed != text
    file.write_text(changed)


def saw(server: Server) -> bool:
    """Whether any part of the token came there, whatever it stood in."""
    came = json.dumps([[one.path, one.query, one.headers] for one in server.requests])
    return any(part in came for part in (TOKEN, TOKEN[:8], TOKEN[-8:]))


def env(monkeypatch: pytest.MonkeyPatch, folder: Path, server: Server) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_DESK_1", TOKEN)
    add(server)


def command(monkeypatch: pytest.MonkeyPatch, folder: Path, server: Server) -> None:
    code = f"open({str(folder / 'ran')!r}, 'a'); print({TOKEN!r})"
    add(server, "--token-command", f"{sys.executable} -c {shlex.quote(code)}")


def keyring(monkeypatch: pytest.MonkeyPatch, folder: Path, server: Server) -> None:
    install(monkeypatch, folder, "own", "FileKeyring")
    add(server)
    account = Services.build().accounts.get("desk-1")
    # a keyring that others write to as well: the token stands there for both places
    kept = {f"ringback/desk-1@{origin}": TOKEN for origin in (account.origin, "http://x")}
    Path(os.environ["HOME"], "kept.json").write_text(json.dumps(kept))


def moved(text: str, one: str, two: str) -> str:
    return text.replace(one, two)


def forged(text: str, one: str, two: str) -> str:
    """As an earlier version wrote it, for the new place."""
    return moved(text, one, two) + f'bound_to = "{two}"\n'


def renamed(text: str, one: str, two: str) -> str:
    """Another name whose variable is the same."""
    return moved(text, one, two).replace("desk-1", "Desk_1")


def rewritten(text: str, one: str, two: str) -> str:
    return f'[accounts.DESK-1]\nbase_url="{two}/"\ncall_ids="1"\nprovider="nectar"\n'


SOURCES = {"environment": env, "command": command, "keyring": keyring}
EDITS: dict[str, Edit] = {
    "moved": moved,
    "forged": forged,
    "renamed": renamed,
    "rewritten": rewritten,
}


@pytest.mark.parametrize("change", few(1, EDITS))
@pytest.mark.parametrize("source", SOURCES)
def test_no_byte_of_a_token_goes_where_an_edit_leads(
    source: str,
    change: str,
    first: Server,
    other: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    SOURCES[source](monkeypatch, tmp_path, first)
    assert run("accounts", "test") == 0
    assert saw(first)
    (tmp_path / "ran").unlink(missing_ok=True)
    edit(EDITS[change], first, other)
    capsys.readouterr()
    commands: list[list[str]] = [["sync"], ["sync", "--recordings", "--debug"]]
    if change == "moved":
        commands += [["accounts", "test"], ["play", "desk-1:1"]]
    for words in commands:
        code = run(*words)
        out, err = capsys.readouterr()
        assert code == 4, (words, err)
        assert "ringback accounts bind" in err, (words, out, err)
        assert TOKEN not in out + err
    assert run("accounts", "list") == 0
    assert f"token: unconfirmed (bound to {first.url})" in capsys.readouterr().out
    run("doctor")
    assert "token unconfirmed" in capsys.readouterr().out
    assert not other.requests
    assert not (tmp_path / "ran").exists(), "what gives the token is not even started"


def test_a_recording_that_wants_the_token_does_not_get_it_there(
    first: Server,
    other: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env(monkeypatch, tmp_path, first)
    first.on("/calls/1", {**REST, "id": 1, "recordings": [{"id": 1, "url": f"{other.url}/rec"}]})
    assert run("sync") == 0
    assert run("download", "desk-1:1", "--output", str(tmp_path)) == 1
    assert other.requests and not saw(other), "another origin than the account's"
    edit(moved, first, other)
    other.requests.clear()
    capsys.readouterr()
    for words in (["download", "desk-1:1"], ["play", "desk-1:1"]):
        assert run(*words) == 4
        assert f"ringback accounts bind desk-1 {other.url}" in capsys.readouterr().err
    assert other.requests and not saw(other)
    assert run("accounts", "bind", "desk-1", other.url) == 0
    assert run("download", "desk-1:1", "--output", str(tmp_path)) == 0
    assert saw(other)


def test_an_account_written_by_hand_keeps_the_place_of_its_first_use(
    first: Server,
    other: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    by_hand(other)
    assert run("sync") == 4  # no token: nothing is used yet, and the address may be corrected
    by_hand(first)
    monkeypatch.setenv("RINGBACK_TOKEN_DESK_1", TOKEN)
    assert run("sync") == 0
    assert f"from now on its token goes to {first.url} alone" in capsys.readouterr().err
    assert run("sync") == 0
    assert "from now on" not in capsys.readouterr().err
    by_hand(other)
    other.requests.clear()
    assert run("sync") == 4
    assert not other.requests
    by_hand(first)
    assert run("sync") == 0


def test_what_an_earlier_version_wrote_into_the_settings_holds_once(
    first: Server, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_DESK_1", TOKEN)
    file = Paths.default().config_file
    by_hand(other)
    file.write_text(f'{file.read_text()}bound_to = "{first.url}"\n')
    assert run("sync") == 4
    assert not other.requests
    edit(
        lambda text, one, two: text.replace(f'base_url = "{two}"', f'base_url = "{one}"'),
        first,
        other,
    )
    assert run("sync") == 0
    by_hand(other)
    assert run("sync") == 4
    assert not other.requests


def test_a_place_is_confirmed_by_its_name_or_by_a_yes(
    first: Server,
    other: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env(monkeypatch, tmp_path, first)
    edit(moved, first, other)
    capsys.readouterr()
    assert run("accounts", "bind", "desk-1") == 4
    err = capsys.readouterr().err
    assert first.url in err and f"ringback accounts bind desk-1 {other.url}" in err
    assert run("accounts", "bind", "desk-1", first.url) == 2
    assert run("accounts", "bind", "desk-1", "nonsense") == 2
    assert run("accounts", "bind", "nobody") == 1
    assert run("sync") == 4
    assert not other.requests
    for words, typed, code in (
        (["accounts", "bind", "desk-1"], "n\r", 1),
        (["accounts", "test"], "\r", 4),
        (["accounts", "test", "desk-1"], "y\r", 0),
    ):
        with Program("tui.cli", *words) as program:
            program.wait_for("Send the token to")
            assert not other.requests
            program.write(typed)
            assert program.ended(time.monotonic())[0] == code, program.text
    assert saw(other)
    assert run("accounts", "bind", "desk-1") == 0
    assert run("accounts", "bind", "desk-1", "HTTP://127.0.0.1:" + str(other.port)) == 0
    edit(moved, other, first)
    assert run("sync") == 4, "the place of before is another one now"


def test_a_change_by_command_asks_as_well_unless_a_token_comes_with_it(
    first: Server,
    other: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env(monkeypatch, tmp_path, first)
    add(other, "--replace")
    assert f"ringback accounts bind desk-1 {other.url}" in capsys.readouterr().out
    assert run("sync") == 4
    assert not other.requests
    monkeypatch.delenv("RINGBACK_TOKEN_DESK_1")
    add(other, "--replace", "--token-command", f"echo {TOKEN}")
    assert run("sync") == 0
    assert saw(other)


def test_an_account_that_was_removed_leaves_no_place_behind(
    first: Server, other: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env(monkeypatch, tmp_path, first)
    assert run("accounts", "remove", "desk-1", "--yes") == 0
    add(other)
    assert run("accounts", "test") == 0
    assert not first.requests


@pytest.mark.parametrize(
    "text", few(2, ["", "{", "[]", '{"RINGBACK_TOKEN_DESK_1": 1}', "\0", "[" * 9999])
)
def test_without_a_readable_record_no_token_goes_anywhere(
    text: str,
    first: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env(monkeypatch, tmp_path, first)
    record = Paths.default().origins_file
    record.write_text(text)
    for words in (["sync"], ["accounts", "test"]):
        assert run(*words) == 4
        assert str(record) in capsys.readouterr().err
    assert not first.requests
    assert run("doctor") == 1
    assert f"{record}: is damaged" in capsys.readouterr().out
    assert run("accounts", "bind", "desk-1", first.url) == 1
    assert "remove that file" in capsys.readouterr().err
    record.unlink()
    assert run("sync") == 0


def test_a_record_that_cannot_be_written_does_not_stop_a_first_use(
    first: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_DESK_1", TOKEN)
    by_hand(first)
    paths = Paths.default()
    paths.make()
    (paths.data / "origins.json.lock").mkdir()  # it cannot be opened, even by root
    assert run("accounts", "test") == 0
    assert not paths.origins_file.exists()


def test_the_record_is_private_and_none_is_lost_when_many_are_written(paths: Paths) -> None:
    from concurrent.futures import ThreadPoolExecutor

    accounts = [make_account(f"a{n}", "liner", f"https://a{n}.example.com") for n in range(20)]
    store = AccountStore(paths)
    with ThreadPoolExecutor(8) as beside:
        bound = list(beside.map(store.bind_first, accounts * 2))
    assert [one.bound_to for one in bound] == [one.origin for one in accounts * 2]
    assert len(json.loads(paths.origins_file.read_text())) == 20
    assert paths.origins_file.stat().st_mode & 0o777 == 0o600
    moved_away = replace(accounts[0], base_url="https://evil.example.com")
    assert not store.bind_first(moved_away).bound


def test_an_old_sight_of_an_account_gives_no_token_to_its_old_place(
    first: Server, other: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A screen that has been open since before the account was bound anew."""
    env(monkeypatch, tmp_path, first)
    services = Services.build(os.environ)
    seen = services.accounts.get("desk-1")
    edit(moved, first, other)
    assert run("accounts", "bind", "desk-1", other.url) == 0
    with pytest.raises(Unconfirmed):
        services.find_token(seen)
    assert services.find_token(services.accounts.get("desk-1")).reveal() == TOKEN


async def test_the_screen_says_it_and_asks(
    first: Server, other: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await asyncio.to_thread(env, monkeypatch, tmp_path, first)
    edit(moved, first, other)
    services = Services.build(os.environ)
    async with open_page(services, size=(120, 30)) as page:
        await page.idle()
        assert "token unconfirmed" in page.text
        assert "The token was not sent" in page.text
        await page.press("a")
        await page.until(lambda: isinstance(page.top, AccountsScreen))
        await page.until(lambda: f"unconfirmed (bound to {first.url})" in page.text)
        for key, after in (("n", "Token not sent"), ("y", "accepts the token")):
            await page.press("t")
            await page.until(lambda: f"Send the token of desk-1 to {other.url}?" in page.text)
            assert not other.requests
            await page.press(key)
            await page.until(_shows(page, after))
        assert saw(other)


def _shows(page: CallsPage, text: str) -> Callable[[], bool]:
    return lambda: text in page.text


async def test_a_base_url_changed_on_the_screen_asks_before_it_tests(
    first: Server, other: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await asyncio.to_thread(env, monkeypatch, tmp_path, first)
    async with open_page(Services.build(os.environ), size=(120, 30)) as page:
        await page.idle()
        await page.press("a")
        await page.until(lambda: "desk-1  Nectar" in page.text)
        await page.press("enter")
        await page.until(lambda: isinstance(page.top, AccountScreen))
        await page.pause()
        field = page.top.query_one("#field-base_url")
        field.focus()
        await page.press(*["backspace"] * len(first.url), *other.url, "ctrl+s")
        await page.until(lambda: f"Send the token of desk-1 to {other.url}?" in page.text)
        assert not other.requests
        await page.press("y")
        await page.until(lambda: isinstance(page.top, AccountsScreen))
        assert saw(other)
