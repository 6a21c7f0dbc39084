"""One odd answer costs one account at most: a line with its name, its state, and the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.outside import raw_nectar
from tests.outside.server import Answer, Vendors, good
from tests.outside.test_walks import PERIOD, plain_liner
from tests.outside.user import Ringback

HUGE = 99_999_999_999_999_999_999


def listed(**more: Any) -> Answer:
    rows = [stored.row for stored in plain_liner(3)]
    return good({"list": rows, "next": 3, "total": 3, **more})


LINER = {
    f"total {text}": listed(total=value)
    for text, value in {
        "of 20 digits": HUGE,
        "of 19 digits": 9_223_372_036_854_775_807,
        "just below 2**63": 2**63 - 2000,
        "of 400 digits": int("9" * 39) * 10**100,
        "of 5,000 digits as text": "9" * 5000,
        "negative": -5,
        "a float": 3.5,
        "infinite": float("inf"),
        "text": "many",
        "yes": True,
        "nested": {"total": [3]},
    }.items()
}
LINER |= {
    f"next {text}": listed(next=value)
    for text, value in {"huge": HUGE, "nested": [[]], "text": "[red]x", "negative": -1}.items()
}
LINER |= {
    f"redirect to {where[:20]!r}": Answer(302, "", {"Location": where})
    for where in ("http://xn--a/", "//[", "http://xn--zz--a/", "http://\u00fc/", "x" * 70_000)
}
LINER |= {
    "a code of 5,000 digits": Answer(200, {"code": "9" * 5000, "message": "no"}),
    "a code of other digits": Answer(400, {"code": "\u0663" * 5000, "message": "no"}),
    "an id of 5,000 digits": good({"list": [{"id": "9" * 5000}], "total": 1}),
    "an id of 20 digits": good({"list": [{"id": HUGE}], "total": 1}),
    "rows of anything": good({"list": [None, 1, "x", [], {}, [[{}]], True, 1e300]}),
}


@pytest.fixture
def two(ringback: Ringback, vendors: Vendors) -> Ringback:
    """An account `odd` that answers as a test wants, and `well`, which is well."""
    vendors.nectar = {1: raw_nectar.rows("http://127.0.0.1:9")[1001]} if False else {}
    ringback.add("odd", "liner", vendors.url, "--order", "202-204")
    return ringback


@pytest.mark.parametrize("name", LINER)
def test_liner(ringback: Ringback, vendors: Vendors, name: str) -> None:
    well = Vendors()
    well.liner = plain_liner(5)
    vendors.rules.append(lambda r: LINER[name] if r.path == "/v2/call/" else None)
    try:
        ringback.add("odd", "liner", vendors.url, "--order", "202-204")
        ringback.add("well", "liner", well.url, "--order", "202-204")
        done = ringback("sync", *PERIOD, code=None)
        print(done.returncode, done.stdout, done.stderr[:600])
        assert len(ringback.calls("--account", "well")) == 5
        print(ringback("accounts", "list").stdout)
        ringback("sync", "odd", code=None)
    finally:
        well.close()
