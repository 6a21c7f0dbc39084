"""Recordings: downloaded whole, from wherever they lie, and never with a token elsewhere."""

from __future__ import annotations

import random
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.outside import raw, raw_cinnox, raw_nectar
from tests.outside.server import TOKENS, WAV, Answer, Vendors, always, once
from tests.outside.test_walks import PERIOD, plain_liner
from tests.outside.user import Ringback
from tests.slow_params import few


def stock(ringback: Ringback, vendors: Vendors, address: str = "") -> None:
    """One call with a recording at each vendor; CINNOX's and Nectar Desk's lie at `address`."""
    vendors.liner = plain_liner(1)
    vendors.liner[0].row["hasRecords"] = True
    vendors.record_all()
    row: dict[str, Any] = next(
        s.row
        for s in raw_cinnox.stored_rows(vendors.files.url)
        if s.row.get("hasAudioFile") is True
    )
    change = {"downloadUrl": address} if address else {}
    row = {**row, "callID": "c1", "recordingEventList": [raw_cinnox.event(vendors.files.url, 1)]}
    row["recordingEventList"][0]["files"][0].update(change)
    vendors.cinnox = [raw.Stored(raw.FIRST_DAY, row)]
    body = raw_nectar.body(vendors.files.url, 9, random.Random(9))
    body["recordings"] = [{"id": 1, "url": address or f"{vendors.files.url}/plivo/9.mp3"}]
    vendors.nectar = {9: {"calls": body}}
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "9")
    ringback("sync", *PERIOD)


def download(ringback: Ringback, name: str, code: int = 0) -> Any:
    return ringback("download", name, "--output", str(ringback.home / "out"), code=code)


def test_a_recording_of_every_vendor_is_downloaded_without_a_token(
    ringback: Ringback, vendors: Vendors
) -> None:
    stock(ringback, vendors)
    for name, many in (("sales:1", 2), ("care:c1", 1), ("desk:9", 1)):
        paths = [Path(line) for line in download(ringback, name).stdout.splitlines()]
        assert len(paths) == many
        for path in paths:
            assert path.read_bytes() == WAV
            assert path.parent == ringback.home / "out" and path.suffix == ".wav"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((ringback.home / "out").stat().st_mode) == 0o700
    assert len(vendors.files.seen) == 4
    assert not vendors.files.saw(*TOKENS.values())
    kept = ringback.text_of_all_files()
    assert not [token for token in TOKENS.values() if token in kept]
    assert vendors.files.url not in "".join(ringback.printed)


@pytest.mark.parametrize("status", few(1, [302, 301, 303, 307, 308]))
def test_a_redirected_recording_takes_no_token_along(
    ringback: Ringback, vendors: Vendors, status: int
) -> None:
    """From the storage host, and from the vendor's own origin after it took the token."""
    stock(ringback, vendors, f"{vendors.url}/private/9.mp3")
    away = Answer(status, "", {"Location": f"{vendors.sink.url}/elsewhere"})
    vendors.files.rules.append(always("/audio/", away))

    def moved(request: Any) -> Answer | None:
        private = "/private/" in request.path
        known = TOKENS["cinnox"] in str(request.headers)
        return away if private and known else None

    vendors.rules.append(moved)
    for name in ("sales:1", "care:c1"):
        download(ringback, name)
    assert vendors.sink.seen
    assert not vendors.sink.saw(*TOKENS.values())
    assert not vendors.files.saw(*TOKENS.values())


def test_a_private_recording_gets_the_token_at_the_accounts_own_origin_alone(
    ringback: Ringback, vendors: Vendors
) -> None:
    stock(ringback, vendors, f"{vendors.url}/private/1.mp4")
    download(ringback, "care:c1")
    tries = [r.headers.get("authorization") for r in vendors.seen if "/private/" in r.path]
    assert tries == [None, f"Bearer {TOKENS['cinnox']}"]  # first without, then once with (2.6)
    # Nectar Desk's header is not the one this place wants: refused in words
    refused = download(ringback, "desk:9", code=1)
    assert "desk:9" in refused.stderr and len(refused.stderr.splitlines()) <= 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, {"message": "no"}),
        Answer(403, "<Error>AccessDenied</Error>"),
        Answer(404, "gone"),
        Answer(200, "<html>please log in</html>"),
        Answer(200, {"error": "expired"}),
        Answer(200, b""),
        Answer(500, "broken"),
        Answer(302, "", {"Location": "http://169.254.169.254/latest"}),
        Answer(302, "", {"Location": "file:///etc/passwd"}),
        Answer(302, "", {"Location": "/plivo/9.mp3"}),
    ],
    ids=lambda answer: f"{answer.status}-{str(answer.body)[:12]}",
)
def test_what_is_no_sound_is_told_and_leaves_no_file(
    world_of_one: tuple[Ringback, Vendors], answer: Answer
) -> None:
    ringback, vendors = world_of_one
    vendors.files.rules[:] = [always("/plivo/", answer)]
    done = download(ringback, "desk:9", code=1)
    assert "desk:9" in done.stderr and len(done.stderr.splitlines()) <= 3
    assert vendors.files.url not in done.stderr and not done.stdout
    assert not [p for p in ringback.files() if p.suffix in (".part", ".wav", ".html")]
    assert not vendors.files.saw(*TOKENS.values())


@pytest.fixture(scope="module")
def world_of_one(tmp_path_factory: pytest.TempPathFactory) -> Any:
    vendors, ringback = Vendors(), Ringback(tmp_path_factory.mktemp("home"))
    stock(ringback, vendors)
    yield ringback, vendors
    vendors.close()


def test_an_expired_address_is_renewed_at_the_vendor(ringback: Ringback, vendors: Vendors) -> None:
    stock(ringback, vendors)
    ringback("show", "sales:1")  # the list of recordings is known now
    gone = Answer(403, "expired")
    vendors.files.rules += [always("/plivo/9.mp3", gone), always("/audio/1-", gone)]
    vendors.nectar[9]["calls"]["recordings"][0]["url"] = f"{vendors.files.url}/plivo/new.mp3"
    for record in vendors.records["1"]:
        record["fileUrl"] = record["fileUrl"].replace("/audio/", "/audio/new-")
    for name, many in (("desk:9", 1), ("sales:1", 2)):
        assert len(download(ringback, name).stdout.splitlines()) == many


def test_part_of_the_recordings_is_kept_when_another_fails(
    ringback: Ringback, vendors: Vendors
) -> None:
    stock(ringback, vendors)
    vendors.files.rules.append(always("-2.mp3", Answer(404, "gone")))
    done = download(ringback, "sales:1", code=3)
    assert len(done.stdout.splitlines()) == 1 and "sales:1" in done.stderr


def test_a_recording_is_fetched_once_and_then_kept(ringback: Ringback, vendors: Vendors) -> None:
    stock(ringback, vendors)
    first, again = download(ringback, "desk:9"), download(ringback, "desk:9")
    assert first.stdout == again.stdout
    assert len(vendors.files.seen) == 1


def test_a_call_without_a_recording_says_so(ringback: Ringback, vendors: Vendors) -> None:
    stock(ringback, vendors)
    vendors.nectar[9]["calls"]["recordings"] = []
    vendors.rules.append(once("/nowhere", Answer(500)))
    ringback("sync", "desk", *PERIOD)
    vendors.nectar[10] = {"calls": {**vendors.nectar[9]["calls"], "id": 10}}
    assert "no recording" in download(ringback, "desk:10", code=1).stderr
