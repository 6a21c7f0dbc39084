"""Where an answer redirects, for vendors and for recordings: the one reader of a ``Location``.

The HTTP library reads it too, whether or not it is to follow, and over an odd one ends in errors
of many kinds. So each client reads it first: `HOOKS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

MOST = 5
"""So many redirects are followed, one after the other."""
_STATUS = {301, 302, 303, 307, 308}


class NoAddress(Exception):
    """What should be a whole http or https address is none."""


def address_of(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """An address that can be asked for, at `base` where it is not whole. Raises `NoAddress`."""
    import httpx

    try:
        url = base.join(text) if base else httpx.URL(text.strip())
        # each of these reads another part of it
        whole = url.host and url.scheme in ("https", "http") and str(url)
        port = url.port
    except (httpx.InvalidURL, ValueError):  # IDNA's errors are of the second kind
        raise NoAddress from None
    if not whole or not (port is None or 0 < port < 65536):
        raise NoAddress
    return url


def target(response: httpx.Response, asked: httpx.URL | None = None) -> httpx.URL | None:
    """Where an answer redirects; None: it does not. `asked` is the address that was asked for,
    where the request went to another. Raises `NoAddress`.
    """
    location = response.headers.get("location")
    if response.status_code not in _STATUS or not location:
        return None
    return address_of(location, asked or response.request.url)


async def _read_first(response: httpx.Response) -> None:
    target(response)


HOOKS: dict[str, list[Any]] = {"response": [_read_first]}
"""The `event_hooks` of every client."""
