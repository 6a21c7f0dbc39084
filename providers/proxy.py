"""The proxy variables of the environment, by rules of our own, for vendors and for recordings.

    HTTPS_PROXY  HTTP_PROXY  ALL_PROXY      [http://][user:password@]host[:port]; also https, socks5
    NO_PROXY     what is reached directly, commas or blanks between:
        *                                   everything
        example.com                         this host and those below it
        .example.com  *.example.com         those below it alone
        10.0.0.0/8  fe80::/10  ::1  [::1]   addresses and networks, with or without brackets
        example.com:8443  [::1]:8443        at this port alone

A name in lower case wins over the same in capitals. This machine is never reached through a
proxy. What is not understood of NO_PROXY is left out; a proxy that is not understood is not
left out, since what was to go through it must not go another way. Both are told.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from providers.errors import VariableError
from providers.origin import is_loopback

if TYPE_CHECKING:
    import ssl

    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SYSTEM = "the system's settings"
_PORTS = {"http": 80, "https": 443}
_KINDS = ("http", "https", "socks5", "socks5h")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy; shown without its user and password."""

    variable: str
    """Where it was named: ``HTTPS_PROXY``."""
    scheme: str = "http"
    host: str = ""
    port: int | None = None
    auth: tuple[str, str] | None = field(default=None, repr=False)
    """User and password."""
    wrong: str = ""
    """Why it cannot be used; empty: it can."""

    @property
    def address(self) -> str:
        """``http://proxy.example.com:3128``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")

    def __str__(self) -> str:
        return f"{self.address} ({self.variable})"

    def for_httpx(self, trust: ssl.SSLContext) -> httpx.Proxy:
        """As the HTTP library wants it; `trust` is for a proxy that itself is reached by TLS."""
        import httpx

        return httpx.Proxy(
            self.address, auth=self.auth, ssl_context=trust if self.scheme == "https" else None
        )


@dataclass(frozen=True, slots=True)
class _Exception:
    """One entry of NO_PROXY."""

    name: str = ""
    below: bool = False
    """Those below the name alone."""
    network: Network | None = None
    port: int | None = None
    scheme: str = ""

    def holds(self, scheme: str, host: str, port: int | None) -> bool:
        if self.port not in (None, port) or self.scheme not in ("", scheme):
            return False
        if self.network is not None:
            address = _address(host)
            return address is not None and address in self.network
        if self.name == "*" or host.endswith(f".{self.name}"):
            return True
        return host == self.name and not self.below


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which addresses are reached through which proxy."""

    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    exceptions: tuple[_Exception, ...] = ()
    problems: tuple[str, ...] = ()
    """What was not understood, a line each: the variable, never the value of a proxy."""
    bypass: Callable[[str], bool] = lambda host: False
    """What the system's settings except."""

    def of(self, url: str) -> Proxy | None:
        """The proxy for an address; None: it is reached directly. Raises `VariableError`."""
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        host, port = parts.hostname or "", parts.port or _PORTS.get(scheme)
        with suppress(ValueError):  # a name that no resolver takes, as it will say
            host = _ascii(host)
        proxy = self.by_scheme.get(scheme)
        if proxy is None or _is_here(host) or self.bypass(host):
            return None
        if any(one.holds(scheme, host, port) for one in self.exceptions):
            return None
        if proxy.wrong:
            raise VariableError(proxy.variable, proxy.wrong)
        return proxy


DIRECT = Proxies()
"""No proxy for anything."""


def failures() -> tuple[type[Exception], ...]:
    """What is raised where a connection fails: not all of it is the HTTP library's own."""
    import httpx

    socks = sys.modules.get("socksio")
    # a name may have an empty or long label, which the resolver's codec does not take
    # and where several addresses are tried at a time, what none expects comes in a group
    own = (httpx.HTTPError, OSError, UnicodeError, ExceptionGroup)
    return (*own, socks.SOCKSError) if socks else own


def proxies_of(environ: Mapping[str, str] = os.environ) -> Proxies:
    """The proxies that hold now. Never raises; what is wrong stands in `Proxies.problems`."""
    named = {name: _value(environ, f"{name}_proxy") for name in ("https", "http", "all", "no")}
    found = _parsed(named)
    if not found.by_scheme and sys.platform in ("darwin", "win32"):
        return _of_system()
    return found


def _value(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable's name as it is written there, and its value."""
    written = name if name in environ else name.upper()
    return written, environ.get(written, "").strip()


def _of_system() -> Proxies:
    """What macOS or Windows keep for all programs."""
    from urllib.request import getproxies, proxy_bypass

    found = getproxies()
    parsed = _parsed({name: (SYSTEM, found.get(name, "")) for name in ("https", "http", "all")})
    return Proxies(parsed.by_scheme, problems=parsed.problems, bypass=proxy_bypass)


def _parsed(named: Mapping[str, tuple[str, str]]) -> Proxies:
    by_scheme: dict[str, Proxy] = {}
    for scheme in ("https", "http"):
        for variable, text in (named[scheme], named["all"]):
            if text:
                by_scheme[scheme] = _proxy(variable, text)
                break
    problems = {
        f"{one.variable}: {one.wrong}; nothing is sent that should go through it"
        for one in by_scheme.values()
        if one.wrong
    }
    exceptions, strange = [], []
    variable, text = named.get("no", ("", ""))
    for entry in re.split(r"[,\s]+", text):
        try:
            exceptions += [_exception(entry)] if entry else []
        except ValueError:
            shown = "an entry" if "@" in entry else repr(entry[:_LONGEST])
            strange.append(f"{variable}: {shown} is no host, address or network; it is left out")
    return Proxies(by_scheme, tuple(exceptions), (*sorted(problems), *strange))


def _proxy(variable: str, text: str) -> Proxy:
    """A proxy as it was written; `Proxy.wrong` tells when it is none, without repeating it."""
    text = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port, scheme = _ascii(parts.hostname or ""), parts.port, parts.scheme.lower()
        if scheme not in _KINDS:
            return Proxy(variable, wrong="a proxy begins with http://, https:// or socks5://")
        # a password with such a character in it would be taken for a host, and shown
        if parts.query or parts.fragment or "@" in parts.path:
            return Proxy(variable, wrong="write /, ?, # and @ of a password as %2F, %3F, %23, %40")
        if port == 0 or not (_address(host) or _is_name(host)):
            raise ValueError
    except ValueError:
        wrong = "this is not a proxy's address, such as http://proxy.example.com:3128"
        return Proxy(variable, wrong=wrong)
    if scheme.startswith("socks") and not _has_socks():
        wrong = "a SOCKS proxy needs one package more: pipx inject ringback socksio"
        return Proxy(variable, wrong=wrong)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    auth = (user, password) if user or password else None
    return Proxy(variable, scheme, host, port, auth)


def _has_socks() -> bool:
    from importlib.util import find_spec

    return find_spec("socksio") is not None


def _exception(entry: str) -> _Exception:
    """One entry of NO_PROXY. Raises ValueError: it is none."""
    scheme, _, rest = entry.lower().rpartition("://")
    if scheme not in ("", "all", *_PORTS):
        raise ValueError
    text, port = _without_port(rest)
    scheme = "" if scheme == "all" else scheme
    if text == "*":
        return _Exception("*", port=port, scheme=scheme)
    bare, slash, length = text.partition("/")
    address = _address(bare)
    if address is not None:
        length = length if slash else str(address.max_prefixlen)
        if slash and ":" in bare and address.version == 4:  # ::ffff:10.0.0.0/104
            length = str(max(0, int(length) - 96))
        network = ipaddress.ip_network(f"{address}/{length}", strict=False)
        return _Exception(network=network, port=port, scheme=scheme)
    name = _ascii(text.removeprefix("*").removeprefix("."))
    if not _is_name(name):
        raise ValueError
    return _Exception(name, text[0] in "*.", port=port, scheme=scheme)


def _without_port(text: str) -> tuple[str, int | None]:
    """``[::1]:80`` as ``::1`` and 80; more than one colon without brackets is an address."""
    match = re.fullmatch(r"\[([^\[\]]*)\](/\d+)?(?::(\d{1,5}))?", text)
    match = match or re.fullmatch(r"([^:\[\]]*)()(?::(\d{1,5}))?", text)
    if match is None:
        return text, None
    port = int(match[3]) if match[3] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError
    return match[1] + (match[2] or ""), port


def _address(host: str) -> Address | None:
    """A literal address without its zone; IPv4 inside IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_name(host: str) -> bool:
    """Whether it can name a host; what ends in a number is an address, or a wrong one."""
    return _NAME.fullmatch(host) is not None and not host.rpartition(".")[2].isdigit()


def _ascii(host: str) -> str:
    """A host as names are compared: lower case, no dot at the end. Raises ValueError."""
    host = host.removesuffix(".").lower()
    # also what is ASCII: the system's own resolver ends in an error on an empty or long label
    return host if ":" in host else host.encode("idna").decode()


def _is_here(host: str) -> bool:
    return is_loopback(str(_address(host) or host)) or host.endswith(".localhost")
