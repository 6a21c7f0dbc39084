"""A proxy that is the only way out, with an authority of its own: calls, sound, and what is said."""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from providers import media
from providers.base import Secret
from providers.errors import ProviderError, RecordingError, Unreachable
from providers.http import VendorClient
from providers.media import Remote
from tests.audio import sounds
from tests.network.forward import CA, HOSTS, ForwardProxy
from tests.providers.server import Answer, Server
from tests.recordings.host import Host
from tests.slow_params import few
from tests.ui.calls_page import open_page
from tui.cli import main
from tui.config.accounts import AccountStore
from tui.config.paths import Paths
from tui.services import Services

API, FILES = "https://api.vendor.test", "https://files.vendor.test"
PASSWORD = "s3cret/#@"
SOUND = b"ID3\x03" + bytes(range(256)) * 400
CONTAINERS = "localhost,127.0.0.1,::1,[::1],fe80::/10,10.96.0.0/12,.svc,.cluster.local"
"""NO_PROXY as container and VPN tools set it."""


@pytest.fixture
def vendor() -> Iterator[Server]:
    with Server(HOSTS) as running:
        yield running


@pytest.fixture
def proxy(vendor: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForwardProxy]:
    """The way out; vendor and files are one server. The environment is set as a company does."""
    names = {"api.vendor.test:443": vendor.port, "files.vendor.test:443": vendor.port}
    with ForwardProxy(names) as running:
        monkeypatch.setenv("HTTPS_PROXY", running.url)
        monkeypatch.setenv("NO_PROXY", CONTAINERS)
        monkeypatch.setenv("SSL_CERT_FILE", CA)
        yield running


async def vendors_answer(url: str = API) -> object:
    client = VendorClient(url, {"X-Api-Key": Secret("t0ken")}, sleep=_no_wait)
    try:
        return await client.get("/x")
    finally:
        await client.aclose()


async def _no_wait(_: float) -> None:
    pass


async def fetched(url: str = f"{FILES}/r?sig=s1gned", **options: object) -> bytes:
    remote = Remote(url, allow_private=False, **options)  # type: ignore[arg-type]
    try:
        body = await remote.open()
        return b"".join([chunk async for chunk in body.chunks])
    finally:
        await remote.close()


async def test_vendor_and_recording_go_through_it(vendor: Server, proxy: ForwardProxy) -> None:
    vendor.on("/x", {"ok": 1})
    vendor.on("/r", Answer(SOUND))
    assert await vendors_answer() == {"ok": 1}
    assert await fetched() == SOUND
    assert proxy.asked == ["CONNECT api.vendor.test:443", "CONNECT files.vendor.test:443"]
    assert [one.headers["Host"] for one in vendor.requests] == [
        "api.vendor.test",
        "files.vendor.test",
    ]
    assert "X-Api-Key" not in vendor.requests[1].headers
    assert not any("proxy" in name.lower() for one in vendor.requests for name in one.headers)


@pytest.mark.parametrize("secure", [False, True])
async def test_a_proxy_with_a_password_and_one_behind_tls(
    vendor: Server, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    vendor.on("/x", {"ok": 1})
    vendor.on("/r", Answer(SOUND))
    names = {"api.vendor.test:443": vendor.port, "files.vendor.test:443": vendor.port}
    with ForwardProxy(names, password=PASSWORD, secure=secure) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", CA)
        monkeypatch.setenv("all_proxy", proxy.url.replace(PASSWORD, "s3cret%2F%23%40"))
        assert await vendors_answer() == {"ok": 1} and await fetched() == SOUND
        monkeypatch.setenv("all_proxy", proxy.url.replace(PASSWORD, "wr0ng"))
        for attempt, kind in ((vendors_answer, Unreachable), (fetched, RecordingError)):
            with pytest.raises(kind, match="the proxy wants a user and a password") as caught:
                await attempt()
            said = repr(caught.value)
            assert f"127.0.0.1:{proxy.port} (all_proxy)" in said
            assert not any(secret in said for secret in ("wr0ng", "ann:", "t0ken", "s1gned"))


async def failure_of(attempt: Callable[[], Awaitable[object]]) -> str:
    """What is said; the error itself, and the sockets it holds, do not stay."""
    try:
        await attempt()
    except (ProviderError, RecordingError) as error:
        return repr(error)
    raise AssertionError("it did not fail")


# the HTTP library leaves the socket to a SOCKS proxy that refuses to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("password", few(1, ["", "s3cret"]))
async def test_a_socks_proxy(
    vendor: Server, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    vendor.on("/x", {"ok": 1})
    vendor.on("/r", Answer(SOUND))
    names = {"api.vendor.test:443": vendor.port, "files.vendor.test:443": vendor.port}
    with ForwardProxy(names, password=password) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", CA)
        monkeypatch.setenv("ALL_PROXY", proxy.socks_url)
        assert await vendors_answer() == {"ok": 1} and await fetched() == SOUND
        assert proxy.asked == ["SOCKS api.vendor.test:443", "SOCKS files.vendor.test:443"]
        for trouble in ("names", "password", "garbage"):
            if trouble == "names":
                proxy.names.clear()
            elif trouble == "password":
                proxy.password = "other"
            else:
                proxy.refuse = "HTTP/1.1 400 Bad Request"
            for attempt in (vendors_answer, fetched):
                said = await failure_of(attempt)
                assert "through the proxy socks5h://127.0.0.1" in said
                assert not any(secret in said for secret in ("s3cret", "ann:", "s1gned", "t0ken"))
    gc.collect()


async def test_a_recording_is_read_by_ranges_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One tunnel serves one request after the other, and the far end first."""
    with Host(SOUND) as host, ForwardProxy({"10.1.2.3": 0}) as proxy:
        proxy.names["10.1.2.3"] = int(host.url.rpartition(":")[2])
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        remote = Remote("http://10.1.2.3/r", allow_private=True)
        for start, end in ((90_000, 90_100), (0, 100)):
            body = await remote.open(start, end)
            assert body.ranges and body.total == len(SOUND)
            assert b"".join([chunk async for chunk in body.chunks]) == SOUND[start:end]
        await remote.close()
        assert proxy.asked[0] == "GET http://10.1.2.3/r"


@pytest.mark.parametrize(
    "url",
    ["https://169.254.169.254/latest", "https://10.0.0.1/x", "https://0xa.1/x", "https://167772161/x",
     "https://[fd00::1]/x", "https://[::ffff:10.0.0.1]/x", "http://files.vendor.test/x", "http://93.184.216.34/x"],
)  # fmt: skip
async def test_what_is_an_address_by_itself_is_checked_all_the_same(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with pytest.raises(RecordingError) as caught:
        await fetched(url)
    assert caught.value.reason == "unsafe" and proxy.asked == []


async def test_redirects_are_checked_behind_a_proxy_too(
    vendor: Server, proxy: ForwardProxy
) -> None:
    vendor.on("/r", Answer(status=302, headers={"Location": "https://169.254.169.254/x"}))
    with pytest.raises(RecordingError) as caught:
        await fetched()
    assert caught.value.reason == "unsafe" and proxy.asked == ["CONNECT files.vendor.test:443"]


async def test_an_account_may_go_past_the_proxy(vendor: Server, proxy: ForwardProxy) -> None:
    vendor.on("/r", Answer(SOUND))

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    url = f"https://files.vendor.test:{vendor.port}/r"
    remote = Remote(url, allow_private=True, resolve=here, proxies=media.DIRECT)
    assert (await remote.open()).total == len(SOUND)
    await remote.close()
    assert proxy.asked == []


async def test_a_name_behind_a_proxy_makes_no_account_a_private_one(proxy: ForwardProxy) -> None:
    async def never(host: str, port: int) -> list[str]:
        raise AssertionError("a name that the proxy resolves is asked for here")

    found = media.proxies_of()
    assert not await media.allows_private(API, never, found)
    assert await media.allows_private("https://10.1.2.3", never, found)


def gone(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    with ForwardProxy({}) as other:
        patch.setenv("HTTPS_PROXY", other.url.replace("//", "//ann:s3cret@"))


def refusing(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    proxy.refuse = "403 Forbidden by policy of s3cret"


def lost(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    proxy.names.clear()


def no_proxy_at_all(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    proxy.refuse = "\x1b[31m no status line"


def untrusted(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    patch.delenv("SSL_CERT_FILE")


def strange(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HTTPS_PROXY", "http://ann:s3cret@[proxy:3128")


def no_file(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")


def no_certificate(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SSL_CERT_FILE", "/dev/null")


def no_folder(proxy: ForwardProxy, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SSL_CERT_DIR", "/nowhere")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (gone, "the connection is refused"),
        (refusing, "the proxy refuses"),
        (lost, "the proxy does not get there"),
        (no_proxy_at_all, ""),
        (untrusted, "its certificate is not trusted"),
        (strange, "HTTPS_PROXY: this is not a proxy's address"),
        (no_file, "SSL_CERT_FILE: this file cannot be used"),
        (no_certificate, "SSL_CERT_FILE: this file cannot be used: no certificates in it"),
        (no_folder, "SSL_CERT_DIR: it names no folder"),
    ],
)
async def test_what_is_wrong_with_the_way_is_said(
    vendor: Server,
    proxy: ForwardProxy,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[ForwardProxy, pytest.MonkeyPatch], None],
    words: str,
) -> None:
    vendor.on("/x", {"ok": 1})
    vendor.on("/r", Answer(SOUND))
    trouble(proxy, monkeypatch)
    for attempt, kind in ((vendors_answer, ProviderError), (fetched, RecordingError)):
        with pytest.raises(kind) as caught:
            await attempt()
        said = repr(caught.value)
        assert words in said, said
        for secret in ("s3cret", "ann:", "s1gned", "t0ken", "/r?", "\x1b"):
            assert secret not in said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The authority in a folder, as `openssl rehash` names it."""
    (tmp_path / "2b72e73f.0").write_bytes(Path(CA).read_bytes())
    return tmp_path


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test", "-", "xn--.test", "a_b.test"])
async def test_a_name_that_no_resolver_takes_is_said(
    host: str, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Directly and through a proxy."""
    for _ in range(2):
        for attempt in (vendors_answer, fetched):
            assert await failure_of(partial(attempt, f"https://{host}/r"))
        monkeypatch.delenv("HTTPS_PROXY", raising=False)


async def test_authorities_of_a_folder_hold_as_well(
    vendor: Server, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    vendor.on("/r", Answer(SOUND))
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere{os.pathsep}{folder}")
    assert await fetched() == SOUND


# from the command line


@pytest.fixture
def desk(vendor: Server, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch) -> Server:
    """An account at Nectar Desk with one call, whose recording lies at another host."""
    recordings = [{"id": 1, "url": f"{FILES}/r?sig=s1gned"}]
    body = {"id": 9, "type": "answered", "direction": "inbound", "started_at": 1_800_000_000}
    vendor.on("/calls/9", {"calls": {**body, "recordings": recordings}})
    vendor.on("/calls/11", {"calls": {**body, "id": 11}})
    vendor.on("/r", Answer(SOUND))
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t0ken-42")
    words = ["--provider", "nectar", "--base-url", API, "--ids", "9,11"]
    assert main(["accounts", "add", "desk", *words]) == 0
    return vendor


def test_sync_and_download_behind_it(
    desk: Server, proxy: ForwardProxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync"]) == 0
    assert main(["download", "desk:9", "--output", str(tmp_path)]) == 0
    [path] = tmp_path.glob("*.mp3")
    assert path.read_bytes() == SOUND
    assert {*proxy.asked} == {"CONNECT api.vendor.test:443", "CONNECT files.vendor.test:443"}
    assert "s1gned" not in capsys.readouterr().err


def test_an_accounts_setting_turns_it_off_for_recordings(
    desk: Server, proxy: ForwardProxy, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    file = paths.config_file
    file.write_text(file.read_text() + "recordings_proxy = false\n")
    assert AccountStore(paths).get("desk").recordings_proxy is False
    assert main(["sync"]) == 0
    assert main(["download", "desk:9"]) == 1
    assert "its name is not known" in capsys.readouterr().err
    assert {*proxy.asked} == {"CONNECT api.vendor.test:443"}
    # a change of the account keeps it
    words = ["--provider", "nectar", "--base-url", API, "--ids", "9-10", "--replace"]
    assert main(["accounts", "add", "desk", *words]) == 0
    assert AccountStore(paths).get("desk").recordings_proxy is False
    file.write_text(file.read_text().replace("recordings_proxy = false", 'recordings_proxy = "no"'))
    assert "recordings_proxy: is true or false" in AccountStore(paths).read()[1][0]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "HTTPS_PROXY",
            "http://ann:s3cret@[proxy:3128",
            "HTTPS_PROXY: this is not a proxy's address",
        ),
        ("HTTPS_PROXY", "socks4://ann:s3cret@proxy:1080", "HTTPS_PROXY: a proxy begins with"),
        ("SSL_CERT_FILE", "/nowhere", "SSL_CERT_FILE: this file cannot be used"),
    ],
)
def test_a_broken_setting_is_one_clear_line(
    desk: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    words: str,
) -> None:
    monkeypatch.setenv(variable, value)
    for command in (["sync"], ["accounts", "test"], ["download", "desk:9"]):
        capsys.readouterr()
        assert main(command) == 1
        said = capsys.readouterr().err
        assert words in said and "s3cret" not in said and "Traceback" not in said
        assert len(said.splitlines()) <= 3


def doctor(capsys: pytest.CaptureFixture[str]) -> dict[str, list[tuple[str, str]]]:
    """State and text of what `doctor` finds, by what it is about."""
    capsys.readouterr()
    main(["doctor", "--json"])
    found: dict[str, list[tuple[str, str]]] = {}
    said = capsys.readouterr().out
    assert not any(secret in said for secret in ("s3cret", "s1gned", "t0ken", "/r?"))
    for line in said.splitlines():
        one = json.loads(line)
        found.setdefault(one["about"], []).append((one["state"], one["text"]))
    return found


def test_doctor_shows_the_way_and_tries_a_recordings_host(
    desk: Server,
    proxy: ForwardProxy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sync"]) == 0
    proxy.password = "s3cret"
    url = proxy.url.replace("//", "//ann:s3cret@")
    monkeypatch.setenv("HTTPS_PROXY", url)
    found = doctor(capsys)
    [(state, text)] = found["proxy"]
    assert state == "ok" and text.startswith(f"https through {proxy.url} (HTTPS_PROXY)")
    assert found["trust"] == [("ok", f"certificate authorities: {CA} (SSL_CERT_FILE)")]
    host = "desk: files.vendor.test: "
    assert found["recordings"] == [("ok", f"{host}its recordings can be fetched")]

    desk.on("/r", Answer(status=403))
    [(state, text)] = doctor(capsys)["recordings"]
    assert state == "note" and "it answers" in text and "403" in text

    monkeypatch.setenv("HTTPS_PROXY", url.replace("s3cret", "s3cretly"))
    [(state, text)] = doctor(capsys)["recordings"]
    assert state == "PROBLEM" and "the proxy wants a user and a password" in text


def test_doctor_names_what_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(capsys)["proxy"] == [("ok", "none is named; connections are direct")]
    monkeypatch.setenv("NO_PROXY", "fe80::/10,[::1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    found = doctor(capsys)
    assert found["proxy"][0][0] == "note" and "NO_PROXY: '[::1' is no host" in found["proxy"][0][1]
    assert found["trust"][0][0] == "PROBLEM" and "SSL_CERT_FILE" in found["trust"][0][1]
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:s3cret@[proxy")
    [(state, text), *_] = doctor(capsys)["proxy"]
    assert state == "PROBLEM" and text.startswith("HTTPS_PROXY: ")


@pytest.fixture
def synced(desk: Server) -> Server:
    """The same, its calls in the archive."""
    assert main(["sync"]) == 0
    return desk


async def test_the_screen_names_what_is_broken(
    synced: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence before: the account never answered, and a recording never came."""
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:s3cret@[proxy:3128")
    monkeypatch.setenv("NO_PROXY", f"{CONTAINERS},[::1")
    async with open_page(Services.build(), size=(160, 30)) as page:
        named = re.findall(r"\b(HTTPS_PROXY|NO_PROXY): ", page.notices)
        assert named == ["HTTPS_PROXY", "NO_PROXY"]
        await page.idle()
        await page.press("U")
        await page.until(lambda: "HTTPS_PROXY: this is not" in page.status)
        await page.press("j", "space")
        await page.until(lambda: "cannot be reached (HTTPS_PROXY: this is not" in page.player)
        assert "cret" not in page.text


async def test_the_screen_plays_through_a_proxy(synced: Server, proxy: ForwardProxy) -> None:
    synced.on("/r", Answer(sounds.wav(sounds.tone(2, 8000), 8000)))
    async with open_page(Services.build(), size=(160, 30)) as page:
        await page.idle()
        await page.press("j", "space")
        await page.until(lambda: "CONNECT files.vendor.test:443" in proxy.asked)
        await page.until(lambda: "0:02" in page.player)


def test_without_a_proxy_no_proxy_alone_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container: a traceback before."""
    monkeypatch.setenv("NO_PROXY", CONTAINERS)
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t0ken-42")
    words = ["--provider", "nectar", "--base-url", API, "--ids", "9,11"]
    assert main(["accounts", "add", "desk", *words]) == 0
    assert main(["sync"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("desk: No connection: api.vendor.test cannot be reached")
    monkeypatch.setenv("NO_PROXY", "[::1")
    assert main(["sync"]) == 1
    assert (
        "NO_PROXY: '[::1' is no host, address or network; it is left out" in capsys.readouterr().err
    )
