"""Exit codes, and errors of one to three lines that name the account and the thing to do."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.outside import raw_nectar
from tests.outside.server import APP_ID, TOKENS, Answer, Vendors, always
from tests.outside.test_walks import PERIOD, plain_liner
from tests.outside.user import Ringback
from tests.slow_params import few

VENDOR_NAMES = {"sales": "liner", "care": "cinnox", "desk": "nectar"}


@pytest.fixture
def three(ringback: Ringback, vendors: Vendors) -> Ringback:
    vendors.liner = plain_liner(5)
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "1")
    return ringback


def told(done: Any, *words: str) -> None:
    """The error is one to three lines on standard error, and says these words."""
    lines = done.stderr.splitlines()
    assert 1 <= len(lines) <= 3, done.stderr
    for word in words:
        assert word in done.stderr
    assert not [token for token in TOKENS.values() if token in done.stdout + done.stderr]


@pytest.mark.parametrize("name", few(1, VENDOR_NAMES))
def test_a_refused_token_is_exit_4(three: Ringback, name: str) -> None:
    three.env[f"RINGBACK_TOKEN_{name.upper()}"] = "wrong-token-1234"
    for words in (["sync", name], ["accounts", "test", name]):
        done = three(*words, code=4)
        told(done, name, "token")
        assert "wrong-token" not in three.text_of_all_files()


@pytest.mark.parametrize("name", few(1, VENDOR_NAMES))
def test_a_missing_token_is_exit_4_at_once(three: Ringback, name: str) -> None:
    """Without a keyring nothing asks, hangs, or is kept in clear text."""
    del three.env[f"RINGBACK_TOKEN_{name.upper()}"]
    began = time.monotonic()
    told(three("sync", name, code=4), name, f"RINGBACK_TOKEN_{name.upper()}")
    told(three("download", f"{name}:1", code=4), name)
    assert time.monotonic() - began < 10


def test_one_missing_token_leaves_the_other_accounts(three: Ringback) -> None:
    del three.env["RINGBACK_TOKEN_CARE"]
    told(three("sync", *PERIOD, code=3), "care")
    assert len(three.calls("--account", "sales")) == 5


def test_a_token_from_standard_input_is_never_kept_in_clear_text(ringback: Ringback) -> None:
    words = [
        "accounts",
        "add",
        "sales",
        "--provider",
        "liner",
        "--base-url",
        "https://l.example.com",
    ]
    done = ringback(*words, "--token-stdin", feed=TOKENS["liner"], code=4)
    told(done, "sales")
    assert TOKENS["liner"] not in ringback.text_of_all_files()


def test_an_account_without_a_token_is_added_and_says_how_to_give_it(ringback: Ringback) -> None:
    words = ["accounts", "add", "my-desk", "--provider", "nectar", "--base-url"]
    done = ringback(*words, "https://n.example.com")
    assert "RINGBACK_TOKEN_MY_DESK" in done.stdout + done.stderr


def test_a_token_command_is_asked_for_the_token(ringback: Ringback, vendors: Vendors) -> None:
    vendors.liner = plain_liner(5)
    secret = Path(ringback.home / "secret")
    secret.write_text(TOKENS["liner"])
    words = ["--provider", "liner", "--base-url", vendors.url, "--token-command", f"cat {secret}"]
    ringback("accounts", "add", "sales", *words)
    ringback("sync", *PERIOD)
    assert len(ringback.calls()) == 5
    secret.unlink()
    told(ringback("sync", code=4), "sales")


@pytest.mark.parametrize(
    "words",
    [
        "sync nobody",
        "sync --since soon",
        "sync --since 2024-02-01 --until 2024-01-01",
        "calls --since 32d2",
        "calls --account nobody",
        "calls --limit -1",
        "calls --json --csv",
        "calls time:nonsense",
        "show sales",
        "show nobody:1",
        "download sales",
        "accounts",
        "accounts add x --provider nobody --base-url https://l.example.com",
        "accounts add x --provider liner --base-url http://l.example.com",
        "accounts add x --provider liner --base-url ftp://127.0.0.1",
        "accounts add x --provider liner --base-url https://me:secret@l.example.com",
        "accounts add x --provider cinnox --base-url https://c.example.com",
        "accounts add x --provider nectar --base-url https://n.example.com --ids 9-1",
        "accounts add x --provider liner --base-url https://l.example.com --order a,b",
        "accounts add ../x --provider liner --base-url https://l.example.com",
        "accounts add x --provider liner",
    ],
)
def test_wrong_usage_is_exit_2(configured: Ringback, words: str) -> None:
    done = configured(*words.split(), code=2)
    assert done.stderr.strip() and not done.stdout
    assert "secret" not in done.stderr


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Ringback:
    ringback = Ringback(tmp_path_factory.mktemp("home"))
    ringback.add("sales", "liner", "https://l.example.com")
    ringback("paths")
    return ringback


def test_a_vendor_that_cannot_be_reached_is_exit_1(ringback: Ringback) -> None:
    closed = Vendors()
    closed.close()
    ringback.add("sales", "liner", closed.url)
    began = time.monotonic()
    told(ringback("sync", code=1), "sales")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "answer, words",
    few(
        2,
        [
            (Answer(200, "<html>Welcome</html>"), "base URL"),
            (Answer(200, {"success": False, "message": "Period is [bold]too\x1b[2J long"}), "too"),
            (Answer(422, {"success": False, "message": "orderIds is wrong"}), "orderIds is wrong"),
            (Answer(404, "no"), "sales"),
            (Answer(200, {"success": True, "message": "", "data": None}), "sales"),
            (Answer(200, b"\xff\xfe{"), "sales"),
        ],
    ),
    ids=["page", "no", "422", "404", "null", "garbage"],
)
def test_an_answer_that_is_none_is_told(
    ringback: Ringback, vendors: Vendors, answer: Answer, words: str
) -> None:
    vendors.rules.append(always("/v2/call/", answer))
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    done = ringback("sync", code=None)
    if answer.status == 200 and isinstance(answer.body, dict) and answer.body["success"]:
        assert done.returncode in (0, 1)  # `data: null` may mean none
        return
    assert done.returncode == 1
    told(done, "sales", words)
    assert "\x1b" not in done.stderr


def test_an_archive_that_is_none_is_told_and_left_alone(three: Ringback) -> None:
    three("paths")
    archive = three.home / "ringback" / "data" / "archive.db"
    archive.write_bytes(b"this is not a database, but somebody's text " * 100)
    kept = archive.read_bytes()
    for words in (["calls"], ["sync"], ["accounts", "list"], ["show", "sales:1"]):
        told(three(*words, code=1))
    assert archive.read_bytes() == kept


def test_an_archive_of_a_later_ringback_is_told(three: Ringback) -> None:
    three("calls")
    archive = sqlite3.connect(three.home / "ringback" / "data" / "archive.db")
    archive.execute("PRAGMA user_version = 999")
    archive.close()
    told(three("calls", code=1))


def test_accounts_are_listed_tested_and_removed(three: Ringback, vendors: Vendors) -> None:
    listed = three("accounts", "list").stdout
    assert all(name in listed for name in VENDOR_NAMES)
    three("accounts", "test")
    three("sync", *PERIOD)
    told(three("accounts", "remove", "sales", code=2), "--yes")
    assert "sales" in three("accounts", "list").stdout
    three("accounts", "remove", "sales", "--yes")
    assert "sales" not in three("accounts", "list").stdout
    assert not [call for call in three.calls() if call["account"] == "sales"]
    told(three("accounts", "remove", "sales", "--yes", code=None), "sales")


def test_a_token_stays_with_its_origin(ringback: Ringback, vendors: Vendors) -> None:
    """Another base URL: the token that was given for the first one is not sent there."""
    other = Vendors()
    secret = ringback.home / "secret"
    secret.write_text(TOKENS["cinnox"])
    words = ["--provider", "cinnox", "--app-id", APP_ID, "--token-command", f"cat {secret}"]
    ringback("accounts", "add", "care", "--base-url", vendors.url, *words)
    config = ringback.home / "ringback" / "config" / "config.toml"
    text = config.read_text()
    lines = [
        line.replace(vendors.url, other.url) if line.startswith("base_url") else line
        for line in text.splitlines()
    ]
    config.write_text("\n".join(lines))
    done = ringback("sync", code=4)
    told(done, "care")
    assert not other.seen
    other.close()


def test_ids_that_the_vendor_does_not_take_are_unknown_and_no_failure(
    ringback: Ringback, vendors: Vendors
) -> None:
    good = raw_nectar.body(vendors.files.url, 1, random.Random(1))
    vendors.nectar = {1: {"calls": good}, 9: {"calls": {**good, "id": 9}}}
    for number, answer in (
        (2, Answer(400, {"error": "bad id"})),
        (3, Answer(422, {"errors": ["id"]})),
        (4, Answer(200, {"error": "no such call"})),
        (5, Answer(200, {"success": False, "message": "gone"})),
    ):
        vendors.rules.append(always(f"/calls/{number}", answer))
    ringback.add("desk", "nectar", vendors.url, "--ids", "1-5")
    done = ringback("sync", code=0)
    assert "4 ids unknown" in done.stdout and "failed" not in done.stdout and done.stderr == ""
    ringback("sync", "--discover", "8", code=0)
    assert sorted(call["id"] for call in ringback.calls()) == ["1", "9"]
    vendors.rules.append(always("/calls/1", Answer(200, {"error": "Invalid access token"})))
    told(ringback("sync", *PERIOD, code=4), "desk", "token")


def test_a_fresh_answer_corrects_a_call_and_takes_no_end_back(
    ringback: Ringback, vendors: Vendors
) -> None:
    body = raw_nectar.body(vendors.files.url, 1, random.Random(1))
    ringback.add("desk", "nectar", vendors.url, "--ids", "1")

    def synced(**change: Any) -> dict[str, Any]:
        vendors.nectar = {1: {"calls": {**body, **change}}}
        ringback("sync", *PERIOD)
        [call] = ringback.calls()
        return call

    live = {"is_ended": False, "type": "in_progress", "duration": 4, "talk_time": 0}
    assert synced(**live, disposition=None, tags=[])["outcome"] == "in_progress"
    call = synced()
    assert (call["outcome"], call["duration_s"], call["tags"]) == (
        "answered",
        95,
        ["vip", "refund"],
    )
    for code in ("ZZZ", "AAA"):
        call = synced(disposition={"code": code, "note": code}, tags=[code])
        assert (call["disposition"], call["tags"]) == ({"code": code, "note": code}, [code])
    call = synced(**live, disposition={"code": "draft"}, tags=["draft"])
    assert (call["outcome"], call["duration_s"], call["talk_s"]) == ("answered", 95, 80)
    assert (call["disposition"]["code"], call["tags"]) == ("AAA", ["AAA"])
