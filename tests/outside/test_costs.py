"""What a large import and small hostile answers may cost; `measure.py` prints more figures."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.outside import raw
from tests.outside.measure import measured, webhooks
from tests.outside.server import Answer, Request, Vendors
from tests.outside.user import Ringback


@pytest.mark.slow
def test_an_import_is_never_held_parsed(ringback: Ringback, tmp_path: Path) -> None:
    """20,000 bodies are 26 MB of text; all of them parsed would be 150 MB."""
    ringback.add("desk", "nectar", "https://n.example.com")
    megabytes = measured(ringback.env, "import", "desk", str(webhooks(tmp_path, 20_000)))
    assert len(ringback.calls()) == 20_000
    assert megabytes < 150


PLAIN = {"id": 1, "createdAt": "2024-01-05T09:30:00Z", "direction": "incoming", "orderId": 202}
EMPTY = b'{"success": true, "data": {"total": 1, "list": [%s]}}'
Figure = Callable[[str, object, str], None]


def answering(body: bytes, **headers: str) -> Callable[[Request], Answer | None]:
    return lambda request: Answer(200, body, headers) if request.path == "/v2/call/" else None


@pytest.mark.slow
@pytest.mark.parametrize("packed", [True, False])
def test_an_answer_of_millions_of_empty_rows(
    packed: bool, ringback: Ringback, vendors: Vendors, figure: Figure
) -> None:
    """Packed they are 64 kB; read, they would be 1.9 GB."""
    body = EMPTY % (b"{}," * (22_000_000 if packed else 20_000_000) + b"{}")
    headers = {"Content-Encoding": "gzip"} if packed else {}
    vendors.rules.append(answering(gzip.compress(body) if packed else body, **headers))
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    megabytes = measured(ringback.env, "sync", "sales", "--until", raw.UNTIL)
    assert "Answer too large" in ringback("sync", "sales", code=1).stderr
    what = "memory at an answer of 20 million empty rows" + ", packed" * packed
    figure(what, f"{megabytes:.0f} MB", "")
    assert megabytes < 300


@pytest.mark.slow
def test_a_field_of_50_mb_is_cut_and_told_and_kept_nowhere(
    ringback: Ringback, vendors: Vendors
) -> None:
    rows = [{**PLAIN, "id": n} for n in range(1, 4)]
    rows[1]["clientPhone"] = "x" * 50_000_000
    text = json.dumps({"success": True, "data": {"list": rows, "total": 3}})
    vendors.rules.append(answering(text.encode()))
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    said = ringback("sync", "sales", "--since", raw.SINCE, "--until", raw.UNTIL, code=3).stderr
    assert "sales: call 2: clientPhone: cut, it had 50,000,000 characters" in said
    assert len(ringback.calls()) == 3
    assert sum(path.stat().st_size for path in ringback.files()) < 3_000_000
    assert "50,000,000 characters" in ringback("show", "sales:2").stdout
