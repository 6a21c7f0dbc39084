"""A token stands where it is sent, and nowhere else: not in what is printed, kept, or started.

Vendors that give it back in every way that an answer has, every command at the debug level, the
screen, its crash, and whatever these start. Each test first makes sure that the token was sent.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.audio import sounds
from tests.providers.nectar_bodies import REST
from tests.providers.server import Answer, Request, Server
from tests.slow_params import few
from tests.ui.calls_page import open_page
from tests.ui.terminal import Program
from tests.widgets.terminal import ROOT
from tui.cli import main
from tui.cli.parser import build_parser
from tui.services import Services

TOKEN = "tok/SENTINEL+42 =="[:15] + "=="
HEADERS = {"liner": "X-Api-Key", "cinnox": "Authorization", "nectar": "Access-Token"}
SETTINGS = {"liner": [], "cinnox": ["--app-id", "9"], "nectar": ["--ids", "1"]}
FORMS = (TOKEN, quote(TOKEN, safe=""), base64.b64encode(TOKEN.encode()).decode())
"""How a token may stand somewhere."""
SOUND = sounds.wav(sounds.tone(1, 8000), 8000)
Bad = Callable[[str], Answer]


def html(text: str) -> bytes:
    return f"<html><title>Error</title><p>Your key {text} is bad</p></html>".encode()


ANSWERS: dict[str, Bad] = {
    "500 with headers": lambda token: Answer({"message": f"headers: x-api-key: {token}"}, 500),
    "500 in quotes": lambda token: Answer({"error": f'{{"auth": "Bearer {token}"}}'}, 500),
    "401 page": lambda token: Answer(html(token), 401),
    "400 in an url": lambda token: Answer({"message": f"bad https://h/{quote(token, safe='')}"}, 400),
    "403 in a list": lambda token: Answer({"errors": [{"message": f"no {token}"}]}, 403),
    "404 in parts": lambda token: Answer({"detail": f"\x1b[31m{token}\x1b[0m"}, 404),
    "200 not JSON": lambda token: Answer(b"not JSON: " + token.encode()),
    "cut off at its length": lambda token: Answer(b"x" * (1000 - len(token) // 2) + token.encode(), 500),
    "cut off in words": lambda token: Answer({"message": "x" * (298 - len(token)) + token}, 500),
    "no page": lambda token: Answer([token]),
    "code": lambda token: Answer({"code": token, "message": token, "result": None}),
    "no success": lambda token: Answer({"success": False, "message": f"{token} is bad"}),
    "no result": lambda token: Answer({"result": False, "error": f"{token}", "message": token}),
    "no call": lambda token: Answer({"error": token, "id": None}),
    "in a row": lambda token: Answer({"id": 1, "data": {"list": [{"id": token}]}, "type": token}),
    "escaped": lambda token: Answer(json.dumps({"message": token}).replace("/", "\\/").encode(), 500),
    "base64": lambda token: Answer({"message": base64.b64encode(token.encode()).decode()}, 500),
    "redirect": lambda token: Answer(b"", 302, {"Location": f"https://h.example/?k={token}"}),
    "redirect here": lambda token: Answer(b"", 302, {"Location": f"/{quote(token, safe='')}"}),
    "redirect nowhere": lambda token: Answer(b"", 302, {"Location": f"http://[{token}/"}),
    "wait": lambda token: Answer({"message": token}, 429, {"Retry-After": f"9999 {token}"}),
    "encoding": lambda token: Answer(token.encode(), 200, {"Content-Encoding": token}),
    "dropped": lambda token: Answer(drop=True),
}  # fmt: skip


@pytest.fixture
def vendor() -> Iterator[Server]:
    """A vendor that answers every path alike; see `answers`."""
    with Server() as server:
        yield server


def answers(server: Server, bad: Bad, header: str) -> None:
    def route(request: Request) -> Answer:
        token = request.headers.get(header, "").removeprefix("Bearer ")
        return bad(token)

    class Everywhere(dict[str, list[object]]):
        def get(self, path: str, default: object = None) -> list[object]:
            return [route]

    server.routes = Everywhere()  # type: ignore[assignment]


def sent(server: Server) -> bool:
    return any(TOKEN in str(request.headers) for request in server.requests)


def parts(text: str) -> bool:
    """Whether it, or a good piece of it, stands in a text."""
    return any(form[at : at + 8] in text for form in FORMS for at in range(len(form) - 7))


def kept(home: Path) -> dict[str, bool]:
    """The files that hold a token, by name."""
    files = [one for one in home.rglob("*") if one.is_file()]
    assert files
    return {str(one): True for one in files if parts(one.read_bytes().decode("latin-1"))}


@pytest.mark.parametrize("provider", HEADERS)
@pytest.mark.parametrize("answer", few(3, ANSWERS))
def test_a_vendor_that_gives_the_token_back(
    answer: str,
    provider: str,
    vendor: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("providers.http.TRIES", 1)
    answers(vendor, ANSWERS[answer], HEADERS[provider])
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", TOKEN)
    where = ["--provider", provider, "--base-url", vendor.url, *SETTINGS[provider]]
    assert main(["accounts", "add", "desk", *where]) == 0
    assert main(["sync", "--debug"]) in (0, 1, 3, 4)
    assert main(["accounts", "test"]) in (0, 1, 4)
    assert sent(vendor)
    out, err = capsys.readouterr()
    assert out or err
    assert not parts(out + err), out + err
    assert main(["accounts", "list"]) == 0  # what is kept of how it ended
    assert not parts(capsys.readouterr().out)
    assert not kept(Path(os.environ["HOME"]))


# ---------------------------------------------------------------- every command, and the screen

PLANTED = ("ssh", "tmux", "xclip", "wl-copy", "xdg-open", "x-www-browser", "firefox")
COMMANDS = [
    "accounts list --json", "accounts test", "accounts bind desk", "sync --debug --recordings",
    "refresh desk:1", "calls", "calls --csv", "show desk:1 --json", "show desk:1 --raw",
    "show desk:2", "download desk:1", "play desk:1", "play desk:1 --words", "import desk body.json",
    "triage desk:1 --state done", "hold desk:1", "audit", "paths", "doctor", "doctor --json", "speaker host",
    "accounts add other --provider nectar --base-url x", "accounts remove desk",
    "purge --before 2000-01-01", "completions bash", "stats --json", "receive --addresses", "completions --names accounts",
]  # fmt: skip


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Programs that Ringback may start, which write down all that they are given."""
    folder, seen = tmp_path / "bin", tmp_path / "seen"
    for one in (folder, seen):
        one.mkdir()
    for name in PLANTED:
        file = folder / name
        file.write_text(f'#!/bin/sh\n{{ echo "$0 $*"; env; }} >{seen}/{name}.$$\n')
        file.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("RINGBACK_AUDIO", "none")
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", TOKEN)
    monkeypatch.chdir(tmp_path)
    return seen


@pytest.fixture
def desk(vendor: Server, planted: Path) -> Server:
    """A vendor with one call, its recording behind the token; an account with a page there."""
    recordings = [{"id": 1, "url": f"{vendor.url}/rec?sig=x"}]
    vendor.on("/calls/1", lambda request: Answer({**REST, "id": 1, "recordings": recordings}))
    vendor.on("/rec", lambda request: Answer(*(SOUND, 200) if sent_in(request) else (b"no", 401)))
    where = ["--provider", "nectar", "--base-url", vendor.url, "--ids", "1-2"]
    assert main(["accounts", "add", "desk", *where]) == 0
    config = Services.build().paths.config_file
    config.write_text(f'{config.read_text()}page = "https://pbx.example.com/{{id}}"\n')
    Path("body.json").write_text(json.dumps({**REST, "id": 3}))
    return vendor


def sent_in(request: Request) -> bool:
    return request.headers.get("Access-Token") == TOKEN


def words_of(pid: str) -> bytes:
    """The command line of a process; nothing once it has gone."""
    with suppress(OSError):
        return Path("/proc", pid, "cmdline").read_bytes()
    return b""


def children(pid: int) -> dict[str, str]:
    """What those that a process started were given: their words and their environment."""
    found, own = {}, words_of(str(pid))
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text().split():
                words = words_of(child)  # first: what is a program of its own remains one
                environ = Path("/proc", child, "environ").read_bytes()
                if words and words != own:  # else it is still the program itself, forked
                    found[child] = (words + environ).decode("latin-1")
    return found


def test_every_command_is_in_the_table() -> None:
    screens = {"screen", "open", "demo"}
    tried = {words.split()[0] for words in COMMANDS}
    assert tried == build_parser()[1] - screens


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.slow
def test_no_command_shows_keeps_or_passes_on_a_token(desk: Server, planted: Path) -> None:
    printed = ""
    started: dict[str, str] = {}
    for words in COMMANDS:
        running = subprocess.Popen(
            [sys.executable, "-m", "tui.cli", *words.split()],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMUX": "/tmp/x,1,0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + 30
        while running.poll() is None:
            started |= children(running.pid)
            if words.startswith("speaker") and any(planted.glob("ssh.*")):
                running.terminate()
            assert time.monotonic() < deadline, words
            time.sleep(0.01)
        out, _ = running.communicate()
        assert "Traceback" not in out, out
        assert not parts(out), (words, out)
        printed += out
    assert sent(desk) and "Nectar Desk accepts the token" in printed and "answered" in printed
    assert any("tui.audio" in given for given in started.values()), "the engine was seen"
    assert not [given for given in started.values() if parts(given)]
    assert any(planted.glob("ssh.*")) and any(planted.glob("tmux.*"))
    assert not kept(planted)
    assert not kept(Path(os.environ["HOME"]))


@pytest.mark.skipif(sys.platform != "linux", reason="pseudo-terminals")
@pytest.mark.slow
def test_the_screen_shows_keeps_and_passes_on_none(desk: Server, planted: Path) -> None:
    started: dict[str, str] = {}
    with Program("tui.cli", DISPLAY=":7") as program:
        program.wait_for("row 1 of")
        program.read()
        for keys in ("yi", "yl", "ys", "o", "\r", "p", " ", "w", "a", "\x1b", ":", "\x1b", "?"):
            program.press(keys, quiet_s=0.3)
            started |= children(program.pid)
        assert program.leave()[0] == 0
    assert sent(desk)
    assert any("tui.audio" in given for given in started.values()), "the engine was seen"
    assert any(planted.glob("xclip.*")) and any(planted.glob("xdg-open.*"))
    assert not [given for given in started.values() if parts(given)]
    assert not kept(planted)
    assert not parts(program.output.decode("utf-8", "replace"))
    assert not kept(Path(os.environ["HOME"]))


async def test_no_command_of_the_palette_takes_a_picture_of_the_screen() -> None:
    async with open_page(Services.build()) as page:
        titles = [one.title for one in page.app.get_system_commands(page.top)]
        assert "Theme" in titles
        assert not [one for one in titles if "screenshot" in one.lower()]
        actions = {one.binding.action for one in page.top.active_bindings.values()}
        assert not [one for one in actions if "screenshot" in one]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
@pytest.mark.parametrize("words", few(1, ["sync", ""]))
def test_a_crash_that_quotes_it_does_not_show_it(desk: Server, words: str) -> None:
    assert main(["sync"]) == 0
    with Program("tests.secrets.crashing", *words.split(), columns=160) as program:
        if not words:
            program.wait_for("row 1 of")
            program.read()
        code, _ = program.leave("?") if not words else program.ended(time.monotonic())
    assert code == 1
    said = program.output.decode("utf-8", "replace")
    assert "RuntimeError" in said and "cannot be sent" in said and "***" in said
    assert not parts(said)
    assert "RuntimeError" in Services.build().paths.log_file.read_text() or words
    assert not kept(Path(os.environ["HOME"]))
