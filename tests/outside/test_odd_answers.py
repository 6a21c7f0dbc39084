"""One odd answer costs one account at most: a line with its name, its state, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.outside.server import Answer, Request, Vendors, good
from tests.outside.test_walks import PERIOD, plain_liner
from tests.outside.user import Ringback
from tests.slow_params import few

HUGE = 99_999_999_999_999_999_999
PARTS = 16
NUMBERS: dict[str, Any] = {
    "of 20 digits": HUGE,
    "of 19 digits": 2**63 - 1,
    "of 140 digits": 10**139,
    "of 5,000 digits as text": "9" * 5000,
    "of other digits": "\u0663" * 30,
    "negative": -5,
    "a float": 3.5,
    "infinite": float("inf"),
    "no number": float("nan"),
    "text": "[red]many",
    "yes": True,
    "nested": {"of": [[{}]]},
    "a list": [],
}
ADDRESSES = ["http://xn--a/", "//[", "http://xn--zz--a/", "http://\u00fc/", "https://h:99999/", "x" * 70_000,
             "http://[::1", "\x1b]0;x\x07", "javascript:alert(1)", "//xn--a/x", "https://h:0/", "http://%00/"]  # fmt: skip


def liner(**more: Any) -> Answer:
    rows = [stored.row for stored in plain_liner(3)]
    return good({"list": rows, "next": 3, "total": 3, **more})


def cinnox(*records: Any, **more: Any) -> Answer:
    return Answer(200, {"code": 200, "result": list(records), **more})


def call(**fields: Any) -> Answer:
    return Answer(
        200, {"calls": {"id": 1, "type": "answered", "started_at": 1_700_000_000} | fields}
    )


ODD: dict[str, dict[str, Answer]] = {
    "liner": {
        **{f"total {name}": liner(total=value) for name, value in NUMBERS.items()},
        **{f"next {name}": liner(next=value) for name, value in NUMBERS.items()},
        **{f"id {name}": good({"list": [{"id": value}]}) for name, value in NUMBERS.items()},
        **{f"code {name}": Answer(400, {"code": v}) for name, v in NUMBERS.items()},
        "rows of anything": good({"list": [None, 1, "x", [], {}, [[{}]], True, 1e300]}),
        "a list that is none": good({"list": "[red]x", "total": 3}),
        "success of anything": Answer(200, {"success": [], "message": {}, "data": None}),
    },
    "cinnox": {
        **{f"code {name}": Answer(200, {"code": v, "message": v}) for name, v in NUMBERS.items()},
        **{f"id {name}": cinnox({"id": v, "callSeq": v}) for name, v in NUMBERS.items()},
        **{f"result {name}": cinnox(result=v) for name, v in NUMBERS.items()},
        "result by name": cinnox(result={"rows": [None, {"id": []}]}),
    },
    "nectar": {
        **{f"id {name}": call(id=value) for name, value in NUMBERS.items()},
        **{f"duration {name}": call(duration=value) for name, value in NUMBERS.items()},
        **{f"start {name}": call(started_at=value) for name, value in NUMBERS.items()},
        **{
            f"recording at {address[:20]!r}": call(call_recordings=[address], recordings=[address])
            for address in [*ADDRESSES, "[red]x", "//[red]x", "https://[red]x/y"]
        },
        "code of anything": Answer(200, {"error": {"code": HUGE, "message": ["[red]"]}}),
    },
}
PLACES = {"liner": "/v2/call/", "cinnox": "/data/call-detail", "nectar": "/calls/"}


def redirected(address: str) -> Answer:
    return Answer(302, "", {"Location": address.encode().decode("latin-1").replace("\n", "")})


for answers in ODD.values():
    answers |= {f"redirect to {address[:20]!r}": redirected(address) for address in ADDRESSES}


@pytest.fixture
def well() -> Iterator[Vendors]:
    served = Vendors()
    served.liner = plain_liner(5)
    yield served
    served.close()


@pytest.mark.parametrize("part", few(1, range(PARTS)))
@pytest.mark.parametrize("vendor", ODD)
def test_the_others_are_synced_and_the_odd_one_is_told(
    ringback: Ringback, vendors: Vendors, well: Vendors, vendor: str, part: int
) -> None:
    """Each odd answer at an account of its own, in one sync, with one that is well."""
    answers = dict(list(ODD[vendor].items())[part::PARTS])

    def answer(request: Request) -> Answer | None:
        number, _, _ = request.path.removeprefix("/a").partition("/")
        if PLACES[vendor] not in request.path or not number.isdigit():
            return None
        return list(answers.values())[int(number)]

    vendors.rules.append(answer)
    ringback.add("well", "liner", well.url, "--order", "202-204")
    more = {"liner": ["--order", "202"], "nectar": ["--ids", "1"]}.get(vendor, [])
    for number in range(len(answers)):
        ringback.add(f"odd{number}", vendor, f"{vendors.url}/a{number}", *more)
    done = ringback("sync", *PERIOD, code=None)
    assert done.returncode in (0, 3), done.stderr
    assert len(ringback.calls("--account", "well")) == 5
    for words in (["sync"], ["sync", "--recordings"], ["calls"], ["calls", "--json"]):
        assert "Not understood" not in ringback(*words, code=None).stderr
    listed = ringback("accounts", "list").stdout.splitlines()
    for number, (name, odd) in enumerate(answers.items()):
        told = [line for line in done.stderr.splitlines() if line.startswith(f"odd{number}: ")]
        came = [line for line in done.stdout.splitlines() if line.startswith(f"odd{number}: ")]
        assert told or came, name
        assert bool(told) or odd.status == 200, name
        assert "Not understood" not in "".join(told), f"{name}: {told}"
        assert [line for line in listed if line.startswith(f"odd{number} ")], name
    for path in ringback.files():
        if path.suffix == ".log":
            assert "Traceback" not in path.read_text(), path.read_text()
