"""Who is not who they should be gets no byte of a token, and is told in a clear line: by TLS that
is wrong in every way, and by names that are not there or change.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.base import Secret
from providers.errors import RecordingError, Unreachable
from providers.http import VendorClient
from providers.media import Remote
from tests.network.certificates import DAY, NOW, Certified, TlsServer
from tests.network.raw import RawHost
from tests.providers.server import Waits
from tests.slow_params import few
from tests.ui.calls_page import open_page
from tui.archive.sqlite import Archive
from tui.cli import main
from tui.config.paths import Paths
from tui.exit_codes import ExitCode
from tui.services import Services

TOKEN = "tok-SECRET-0123456789"
HERE = "127.0.0.1"
SOUND = b"ID3\x03" + bytes(500)
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
HEARD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(SOUND) + SOUND
NOT_TRUSTED = "its certificate is not trusted (SSL_CERT_FILE names a company's own)"
OLD = "it has only versions of TLS that are no longer safe"
Figure = Callable[[str, object, str], None]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of certificates, by what is wrong with them; `ca` is what the user trusts."""
    folder = tmp_path_factory.mktemp("certificates")
    root, other = Certified("Root", authority=True), Certified("Other", authority=True)
    between = Certified("Between", by=root, authority=True)
    plain = Certified(HERE, by=root)
    (folder / "ca").write_bytes(root.pem)
    files: dict[str, Path | Certified] = {
        "well": plain.write(folder / "well"),
        "expired": Certified(HERE, by=root, since=NOW - 9 * DAY, until=NOW - DAY),
        "not yet valid": Certified(HERE, by=root, since=NOW + DAY, until=NOW + 9 * DAY),
        "self-signed": Certified(HERE),
        "of another name": Certified("api.other.test", by=root),
        "of another address": Certified("127.0.0.2", by=root),
        "of an unknown authority": Certified(HERE, by=other),
        "without what is between": Certified(HERE, by=between),
        "by one that is no authority": Certified(HERE, by=plain),
    }
    made = {}
    for name, one in files.items():
        made[name] = one if isinstance(one, Path) else one.write(folder / name.replace(" ", "-"))
    chained = Certified(HERE, by=between)
    made["with what is between"] = chained.write(folder / "chained", between)
    made["by no authority, with it"] = Certified(HERE, by=plain).write(folder / "leafs", plain)
    return made | {"ca": folder / "ca"}


WRONG = {
    "expired": "its certificate has expired",
    "not yet valid": "its certificate is not valid yet, by this machine's clock",
    "self-signed": NOT_TRUSTED,
    "of another name": "its certificate is for another name",
    "of another address": "its certificate is for another name",
    "of an unknown authority": NOT_TRUSTED,
    "without what is between": NOT_TRUSTED,
    "by one that is no authority": NOT_TRUSTED,
    "by no authority, with it": NOT_TRUSTED,
    "TLS 1.0": OLD,
    "TLS 1.1": OLD,
}
VERSIONS = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
Serve = Callable[[str, bytes], TlsServer]


@pytest.fixture
def serve(pki: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A server with what is wrong, at which the user trusts the authority of the test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki["ca"]))
    made: list[TlsServer] = []

    def start(wrong: str, answer: bytes = GOOD) -> TlsServer:
        if wrong in VERSIONS and not getattr(ssl, f"HAS_{VERSIONS[wrong].name}", False):
            pytest.skip("this OpenSSL has no such version")
        made.append(TlsServer(pki.get(wrong, pki["well"]), answer, VERSIONS.get(wrong)))
        return made[-1]

    yield start
    for server in made:
        server.close()


def untold(server: TlsServer) -> bool:
    """Whether a server got nothing beside a part of a handshake."""
    return not server.plain and TOKEN.encode() not in server.raw


async def asked(url: str) -> Any:
    client = VendorClient(url, {"X-Api-Key": Secret(TOKEN)}, sleep=Waits())
    try:
        return await client.get("/x")
    finally:
        await client.aclose()


async def heard(url: str, **options: Any) -> bytes:
    async def own(_: str) -> dict[str, str]:
        return {"X-Api-Key": TOKEN}

    remote = Remote(url, **{"allow_private": True, "credential": own, **options})
    try:
        body = await remote.open()
        return b"".join([chunk async for chunk in body.chunks])
    finally:
        await remote.close()


async def test_one_that_is_well_is_told(serve: Serve) -> None:
    """The others fail for their certificates alone."""
    for name in ("well", "with what is between"):
        server = serve(name, GOOD)
        assert await asked(server.url) == {} and TOKEN.encode() in server.plain
        assert await heard(serve(name, HEARD).url) == SOUND


@pytest.mark.parametrize("wrong", WRONG)
async def test_neither_vendor_nor_host_is_told_a_thing(serve: Serve, wrong: str) -> None:
    server = serve(wrong, GOOD)
    with pytest.raises(Unreachable) as caught:
        await asked(server.url)
    assert caught.value.message == f"{HERE} cannot be reached: {WRONG[wrong]}."
    assert server.connections == 1 and untold(server)
    host = serve(wrong, HEARD)
    with pytest.raises(RecordingError) as refused:
        await heard(host.url)
    assert (refused.value.reason, refused.value.detail) == ("unreachable", WRONG[wrong])
    assert host.connections == 1 and untold(host)


async def test_one_that_answers_without_tls_is_told_nothing() -> None:
    with RawHost(lambda _: GOOD) as plain:
        with pytest.raises(Unreachable, match="it answers without TLS"):
            await asked(plain.url.replace("http:", "https:"))
        assert TOKEN.encode() not in b"".join(plain.asked)


def add(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", TOKEN)
    words = ["--provider", "nectar", "--base-url", url, "--ids", "9"]
    assert main(["accounts", "add", "desk", *words]) == ExitCode.DONE


@pytest.mark.parametrize("wrong", few(1, WRONG))
def test_the_command_line_says_it_in_a_line(
    serve: Serve,
    wrong: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    paths: Paths,
    figure: Figure,
) -> None:
    server, host = serve(wrong, GOOD), serve(wrong, HEARD)
    add(server.url, monkeypatch)
    saved = tmp_path / "saved.json"
    recordings = [{"id": 1, "url": f"{host.url}/r.mp3"}]
    saved.write_text(json.dumps({"calls": {"id": 9, "type": "answered", "recordings": recordings}}))
    assert main(["import", "desk", str(saved)]) == ExitCode.DONE
    for line in ("sync", "accounts test", "refresh desk:9", "download desk:9"):
        capsys.readouterr()
        assert main(line.split()) == ExitCode.FAILED, line
        err = capsys.readouterr().err
        assert WRONG[wrong] in err.splitlines()[0] and "desk" in err.splitlines()[0], err
        assert TOKEN not in err
    with Archive(paths.archive_file) as archive:
        state = archive.account_states()["desk"]
    assert state.state == "offline" and WRONG[wrong] in state.message
    assert untold(server) and untold(host)
    figure(
        f"TLS {wrong.removeprefix('TLS ')}: bytes of requests sent",
        len(server.plain + host.plain),
        "0",
    )


@pytest.mark.slow
async def test_the_screen_says_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, paths: Paths
) -> None:
    server = serve("expired", GOOD)
    add(server.url, monkeypatch)
    async with open_page(Services.build(), size=(140, 30)) as page:
        await page.until(lambda: WRONG["expired"] in page.status)
        await page.idle()
    assert untold(server)


# -- names


@pytest.mark.parametrize(
    ("code", "words"),
    few(
        1,
        [
            (socket.EAI_NONAME, "its name is not known"),
            (socket.EAI_AGAIN, "names cannot be looked up now"),
            (socket.EAI_FAIL, "its name is not known"),
            (socket.EAI_NODATA, "its name is not known"),
        ],
    ),
)
async def test_a_name_that_cannot_be_looked_up_is_said(
    monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise socket.gaierror(code, GAI[code])

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable) as caught:
        await asked("https://api.vendor.test")
    assert caught.value.message == f"api.vendor.test cannot be reached: {words}."
    with pytest.raises(RecordingError) as refused:
        await heard("https://files.vendor.test/r")
    assert (refused.value.reason, refused.value.detail) == ("unreachable", words)


GAI = {
    socket.EAI_NONAME: "Name or service not known",
    socket.EAI_AGAIN: "Temporary failure in name resolution",
    socket.EAI_FAIL: "Non-recoverable failure in name resolution",
    socket.EAI_NODATA: "No address associated with hostname",
}


def turning(monkeypatch: pytest.MonkeyPatch, *turns: str) -> list[str]:
    """A name server that answers each question with the next of these addresses."""
    real, left, questions = socket.getaddrinfo, list(turns), []

    def answer(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not str(name).endswith(".test"):
            return real(host, port, *args, **options)
        questions.append(name)
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return questions


async def test_a_recordings_name_that_changes_after_the_check_reaches_nobody(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to the address that was checked, which has no route here."""
    inner = serve("well", HEARD)
    questions = turning(monkeypatch, "93.184.216.34", HERE)
    with pytest.raises(RecordingError) as refused:
        await heard(f"https://files.vendor.test:{inner.port}/r", allow_private=False)
    assert refused.value.reason == "unreachable"
    assert questions == ["files.vendor.test"] and inner.connections == 0


async def test_a_recordings_name_that_is_here_is_refused(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = serve("well", HEARD)
    turning(monkeypatch, HERE)
    with pytest.raises(RecordingError) as refused:
        await heard(f"https://files.vendor.test:{inner.port}/r", allow_private=False)
    assert refused.value.reason == "unsafe" and inner.connections == 0


async def test_a_vendors_name_that_leads_elsewhere_brings_no_token_there(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stands there has no certificate of that name, however often it is asked."""
    inner = serve("well", GOOD)
    turning(monkeypatch, HERE)
    with pytest.raises(Unreachable, match="its certificate is for another name"):
        await asked(f"https://api.vendor.test:{inner.port}")
    assert inner.connections == 1 and untold(inner)


async def test_plain_http_goes_to_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    """Whatever a name server says of ``localhost``."""
    dialled: list[Any] = []
    real = socket.getaddrinfo

    def lie(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name == "localhost":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", int(port)))]
        return real(host, port, *args, **options)

    def connect(self: socket.socket, address: Any) -> None:
        dialled.append(address[0])
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "getaddrinfo", lie)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Unreachable):
        await asked("http://localhost:9")
    assert {*dialled} <= {HERE, "::1"}
