from __future__ import annotations

import asyncio
import gzip
import random
import ssl
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers import media
from providers.errors import RecordingError
from providers.media import Remote, allows_private, kind_of, reach, too_little
from providers.origin import same_origin
from providers.sniff import sniff
from tests.providers.server import Answer, Server

MP3 = b"ID3\x03" + bytes(5000)
CERTIFICATE = str(Path(__file__).with_name("files.example.com.pem"))


def resolving(*addresses: str) -> media.Resolve:
    """A resolver for which every name has these addresses, one set a question."""
    left = [address.split() for address in addresses]

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


async def fetched(url: str, *, allow_private: bool = True, **options: Any) -> bytes:
    """The whole of a recording, known to be sound."""
    remote = Remote(url, allow_private=allow_private, **options)
    try:
        body = await remote.open()
        data = b"".join([chunk async for chunk in body.chunks])
    finally:
        await remote.close()
    kind_of(data)
    return data


async def refused(url: str, *, allow_private: bool = False, **options: Any) -> RecordingError:
    with pytest.raises(RecordingError) as caught:
        await fetched(url, allow_private=allow_private, **options)
    return caught.value


async def test_all_bytes_come_and_no_token_is_shown(server: Server) -> None:
    server.on("/r", Answer(MP3))
    assert await fetched(server.url + "/r") == MP3
    headers = {name.lower() for name in server.requests[0].headers}
    assert not headers & {"authorization", "x-api-key", "access-token", "cookie"}
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


TAG = b"ID3\x03\0\0\0\0\0\x05" + b"title"
MP3_FRAME = b"\xff\xfb\x90\x64" + bytes(413)
AAC_FRAME = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)


@pytest.mark.parametrize(
    ("head", "ready"),
    [
        (TAG, False),
        (TAG + b"\xff\xfb\x90\x64" + bytes(80), True),
        (b"ID3\x03\0\0\0\0\x7f\x7f" + bytes(200), False),
        (b"ID3\x03\0\0\0\0\x7f\x7f" + bytes(4086), True),
        (bytes(200), False),
        (random.Random(1).randbytes(200), False),
        (random.Random(1).randbytes(4096), True),
        (b"<html>" + bytes(80), True),
        (b"OggS" + bytes(80), True),
    ],
)
def test_so_much_is_looked_at_as_tells_the_kind(head: bytes, ready: bool) -> None:
    assert too_little(head) is not ready


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90\x64", "mp3"),
        (b"\xff\xf3\x40\xc4", "mp3"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"\x00\x00\x00\x20ftypisom", "mp4"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "wav"),
        (b"OggS\x00\x02", "ogg"),
        (b"fLaC\x00", "flac"),
        (b"\x1a\x45\xdf\xa3\x01", "webm"),
        (b"#!AMR\n", "amr"),
        (b".snd\0\0\0\x20", "au"),
        (b"FORM\0\0\0\x20AIFFCOMM", "aiff"),
        (b"FORM\0\0\0\x20AIFCFVER", "aiff"),
        (b"FORM\0\0\0\x20ILBMBMHD", None),
        (b"RIFX\0\0\0\x20WAVEfmt ", "wav"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wma"),
        (b"caff\0\1\0\0desc", "caf"),
        (TAG, "mp3"),
        (TAG + b"fLaC\0", "flac"),
        (TAG + TAG + b"\xff\xf1\x50\x80", "aac"),
        (TAG + b"\xff\xfb\x90\x64", "mp3"),
        (b"ID3\x03\0\0\0\0\x7f\x7f" + bytes(64), "mp3"),
        (b"inside" + MP3_FRAME + MP3_FRAME, "mp3"),
        (b"inside" + AAC_FRAME + AAC_FRAME, "aac"),
        (b"inside" + MP3_FRAME + b"something else", None),
        (b"inside" + MP3_FRAME + b"\xff\xfb\x94\x64", None),  # of another sample rate
        (b"#EXTM3U\n", None),
        (b"ffconcat version 1.0\n", None),
        (b"<html><body>", None),
        (b'{"message": "expired"}', None),
        (b"RIFF\x24\x00\x00\x00AVI LIST", None),
        (b"\xff\xfe<\x00h\x00", None),
        (b"\xff\xfe{\x00", None),
        (b"\xff\xff\xff\xff", None),
        (b"\x1f\x8b\x08", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_kinds_are_told_by_bytes_alone(head: bytes, kind: str | None) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("93.184.216.34", "public"),
        ("2606:2800:220:1::1", "public"),
        ("127.0.0.1", "private"),
        ("::1", "private"),
        ("10.1.2.3", "private"),
        ("172.31.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("::ffff:127.0.0.1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("64:ff9b::10.0.0.1", "private"),
        ("2002:7f00:1::", "private"),
        ("169.254.169.254", "never"),
        ("::ffff:169.254.169.254", "never"),
        ("fd00:ec2::254", "never"),
        ("100.100.100.200", "never"),
        ("fe80::1%eth0", "never"),
        ("0.0.0.0", "never"),
        ("::", "never"),
        ("224.0.0.1", "never"),
        ("ff02::1", "never"),
        ("240.0.0.1", "never"),
        ("255.255.255.255", "never"),
        ("fec0::1", "never"),
        ("2001:0:7f00:1::", "never"),
    ],
)
def test_reach_of_addresses(address: str, kind: str) -> None:
    assert reach(address) == kind


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://0x7f.1/x",
        "https://2130706433/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:a9fe:a9fe]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/x",
        "https://10.0.0.1/x",
        "http://93.184.216.34/x",
        "https://user:pass@93.184.216.34/x",
        "file:///etc/passwd",
        "ftp://93.184.216.34/x",
        "data:audio/mp3;base64,AAAA",
        "//93.184.216.34/x",
        "/etc/passwd",
        "https://",
        "",
    ],
)
async def test_unsafe_addresses_are_never_connected_to(url: str) -> None:
    assert (await refused(url)).reason == "unsafe"


async def test_one_private_address_among_many_is_enough_to_refuse() -> None:
    for found in ("93.184.216.34 127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"):
        error = await refused("https://files.example.com/x", resolve=resolving(found))
        assert error.reason == "unsafe"


async def test_metadata_is_refused_even_to_private_accounts() -> None:
    for host in ("169.254.169.254", "[fd00:ec2::254]", "0.0.0.0", "224.0.0.1"):
        assert (await refused(f"https://{host}/x", allow_private=True)).reason == "unsafe"


async def test_plain_http_to_a_public_name_is_refused(server: Server) -> None:
    error = await refused(
        f"http://files.example.com:{server.port}/x",
        allow_private=True,
        resolve=resolving("93.184.216.34"),
    )
    assert error.reason == "unsafe"


async def test_the_checked_address_is_the_one_connected_to(server: Server) -> None:
    """The name's second answer (rebinding) is never asked for; Host still names the name."""
    server.on("/r", Answer(MP3))
    resolve = resolving("127.0.0.1", "169.254.169.254")
    url = f"http://files.example.com:{server.port}/r"
    await fetched(url, resolve=resolve)
    assert server.requests[0].headers["Host"] == f"files.example.com:{server.port}"


@pytest.fixture
def secure() -> Iterator[Server]:
    with Server(CERTIFICATE) as running:
        yield running


async def test_certificates_are_checked_against_the_name(secure: Server) -> None:
    secure.on("/r", Answer(MP3))
    trust = ssl.create_default_context(cafile=CERTIFICATE)
    options: dict[str, Any] = {"resolve": resolving("127.0.0.1"), "verify": trust}
    assert await fetched(f"https://files.example.com:{secure.port}/r", **options) == MP3
    error = await refused(
        f"https://evil.example.com:{secure.port}/r", allow_private=True, **options
    )
    assert error.reason == "unreachable"


async def test_the_next_address_is_tried_when_one_is_dead(server: Server) -> None:
    server.on("/r", Answer(MP3))
    url = f"http://files.example.com:{server.port}/r"
    assert await fetched(url, resolve=resolving("127.0.0.2 127.0.0.1")) == MP3


async def test_every_redirect_is_checked_again(server: Server, elsewhere: Server) -> None:
    server.on("/r", Answer(status=302, headers={"Location": elsewhere.url + "/s"}))
    elsewhere.on("/s", Answer(MP3))
    assert await fetched(server.url + "/r") == MP3
    for target in ("https://169.254.169.254/x", "file:///etc/passwd", "http://93.184.216.34/"):
        server.on("/r", Answer(status=307, headers={"Location": target}))
        assert (await refused(server.url + "/r", allow_private=True)).reason == "unsafe"


async def test_redirects_come_to_an_end(server: Server) -> None:
    server.on("/r", Answer(status=302, headers={"Location": "/r"}))
    assert (await refused(server.url + "/r", allow_private=True)).reason == "unsafe"
    assert len(server.requests) == 6


@pytest.mark.parametrize("status", [401, 403])
async def test_a_credential_is_sent_once_and_only_after_a_refusal(
    server: Server, status: int
) -> None:
    server.on("/r", Answer(status=status), Answer(MP3))
    asked: list[str] = []

    async def credential(url: str) -> dict[str, str]:
        asked.append(url)
        return {"Authorization": "Bearer t"}

    url = server.url + "/r?sig=1"
    await fetched(url, credential=credential)
    assert asked == [url]
    first, second = server.requests
    assert "Authorization" not in first.headers
    assert second.headers["Authorization"] == "Bearer t"

    server.on("/r", Answer(status=status))
    error = await refused(server.url + "/r", allow_private=True, credential=credential)
    assert error.reason == "refused" and len(server.requests) == 4


async def test_a_credential_does_not_travel_on(server: Server, elsewhere: Server) -> None:
    server.on(
        "/r", Answer(status=401), Answer(status=302, headers={"Location": elsewhere.url + "/s"})
    )
    elsewhere.on("/s", Answer(status=401))

    async def credential(url: str) -> dict[str, str]:
        return {"X-Api-Key": "t"} if same_origin(url, server.url) else {}

    error = await refused(server.url + "/r", allow_private=True, credential=credential)
    assert error.reason == "refused"
    assert "X-Api-Key" in server.requests[1].headers
    [followed] = elsewhere.requests
    assert "X-Api-Key" not in followed.headers


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "refused"),
        (403, "refused"),
        (400, "refused"),
        (404, "gone"),
        (410, "gone"),
        (429, "unreachable"),
        (500, "unreachable"),
        (503, "unreachable"),
        (206, "refused"),
    ],
)
async def test_statuses_have_reasons(server: Server, status: int, reason: str) -> None:
    server.on("/r", Answer(MP3, status))
    assert (await refused(server.url + "/r", allow_private=True)).reason == reason


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Log in</title>",
        b'{"message": "expired"}',
        b"#EXTM3U\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"plain words",
        b"",
    ],
)
async def test_pages_and_playlists_are_no_sound(server: Server, body: bytes) -> None:
    server.on("/r", Answer(body, headers={"Content-Type": "audio/mpeg"}))
    assert (await refused(server.url + "/r", allow_private=True)).reason == "not_sound"


async def test_a_type_that_lies_is_not_believed(server: Server) -> None:
    server.on("/r", Answer(MP3, headers={"Content-Type": "text/html"}))
    assert await fetched(server.url + "/r") == MP3


async def test_size_is_limited_with_and_without_a_length(server: Server) -> None:
    for headers in ({}, {"Content-Length": ""}):
        server.on("/r", Answer(MP3, headers=headers))
        error = await refused(server.url + "/r", allow_private=True, limit_bytes=4000)
        assert error.reason == "too_large"


async def test_a_cut_body_is_not_taken_for_the_whole(server: Server) -> None:
    server.on("/r", Answer(MP3, headers={"Content-Length": str(len(MP3) + 1)}))
    assert (await refused(server.url + "/r", allow_private=True)).reason == "unreachable"


async def test_nobody_listens_or_the_name_is_unknown() -> None:
    with Server() as gone:
        url = gone.url
    assert (await refused(url + "/r", allow_private=True)).reason == "unreachable"
    error = await refused("https://files.invalid/r?sig=SIGNED")
    assert error.reason == "unreachable"
    assert "SIGNED" not in "".join(traceback.format_exception_only(error)) + repr(error)


async def test_cancelling_ends_a_fetch(server: Server) -> None:
    over = threading.Event()
    server.on("/r", Answer(MP3, stall=over))
    task = asyncio.create_task(fetched(server.url + "/r"))
    await asyncio.to_thread(server.wait_for, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    over.set()


async def test_which_accounts_may_have_private_recordings() -> None:
    assert await allows_private("http://127.0.0.1:8080")
    assert await allows_private("https://pbx.lan", resolving("192.168.1.5"))
    assert not await allows_private("https://api.example.com", resolving("93.184.216.34"))
    assert not await allows_private("https://api.example.com", resolving("10.0.0.1 93.184.216.34"))
    assert not await allows_private("https://api.example.com", resolving("169.254.169.254"))
    assert not await allows_private("https://api.invalid")


async def test_a_part_of_an_unknown_whole_is_not_taken_for_it(server: Server) -> None:
    """``bytes 0-99/*``: everything is asked for instead, and where that is what came, refused."""
    part = Answer(MP3[:100], 206, {"Content-Range": "bytes 0-99/*"})
    server.on("/ranged", part, Answer(MP3))
    remote = Remote(server.url + "/ranged", allow_private=True)
    try:
        body = await remote.open(0, 100)
        assert (body.start, body.total, body.ranges) == (0, len(MP3), False)
        assert b"".join([chunk async for chunk in body.chunks]) == MP3
    finally:
        await remote.close()
    first, second = server.asked("/ranged")
    assert first.headers["Range"] == "bytes=0-99" and "Range" not in second.headers
    server.on("/whole", part)
    error = await refused(server.url + "/whole", allow_private=True)
    assert error.reason == "refused" and "a part of it" in str(error)


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
async def test_the_limit_is_the_last_size_that_is_taken(server: Server, told: bool) -> None:
    """Whether the host tells the size, or it is counted while it comes."""
    coding = {} if told else {"Content-Encoding": "gzip"}
    server.on("/r", Answer(MP3 if told else gzip.compress(MP3), headers=coding))
    url = server.url + "/r"
    assert await fetched(url, limit_bytes=len(MP3)) == MP3
    error = await refused(url, allow_private=True, limit_bytes=len(MP3) - 1)
    assert error.reason == "too_large"
