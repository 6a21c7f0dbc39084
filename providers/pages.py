"""A web page where an answer of an API was wanted: a proxy's, or a network's sign-in page."""

from __future__ import annotations

import html
import re

_LOOKED_AT = 20_000
"""Bytes in which the title is looked for."""
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
SIGN_IN = (
    "A proxy or this network's sign-in page may have answered: open a page in a browser here,"
    " or see: ringback doctor"
)


def is_page(body: bytes, content_type: str = "") -> bool:
    """Whether this is HTML or XML, by its first sign or by what its sender says."""
    return body[:100].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or "html" in content_type.lower()


def page_words(body: bytes) -> str:
    """What is told of a page: its title at most, never its tags."""
    found = _TITLE.search(body[:_LOOKED_AT].decode("utf-8", "replace"))
    title = " ".join(html.unescape(found[1]).split()) if found else ""
    return (
        f'a web page came instead of JSON, "{title}"'
        if title
        else ("a web page came instead of JSON")
    )
