"""The HTTP endpoint for webhooks: who sends what, how large, and what is answered.

ASGI by Starlette (https://www.starlette.io). An address is ``/ACCOUNT/SECRET``, or ``/ACCOUNT``
with the secret in the header ``Authorization: Bearer`` or ``X-Ringback-Secret``; everything else
is answered 404, so that nobody learns which accounts there are.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from providers import registry
from providers.base import AnswersWebhooks
from providers.errors import ProviderError
from tui.config.accounts import Account
from tui.receive.inbox import Full, Inbox

MOST_BYTES = 1_000_000
"""Of one body."""
WITHIN_S = 20.0
"""A body that takes longer to come is given up."""
RETRY_S = 60
"""When the vendor may try again where there is no room."""
HEADER = "x-ringback-secret"
"""Where the secret stands, if not in the path."""


def make_endpoint(
    accounts: Callable[[], list[Account]], secret: str, inbox: Inbox, wake: Callable[[], None]
) -> Starlette:
    """The application. `accounts` are those that there are now; `wake` is called when a body was
    kept.
    """

    async def receive(request: Request) -> Response:
        account = _account(request, accounts(), secret)
        if account is None:
            return _said(404, "not found")
        try:
            async with asyncio.timeout(WITHIN_S):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return _said(408, "the body did not come")
        if body is None:
            return _said(413, f"a body has at most {MOST_BYTES:,} bytes")
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            return _said(400, "the body is not JSON")
        try:
            await asyncio.to_thread(inbox.put, account.name, body)
        except Full:
            return _said(429, "there is no room; try again", {"Retry-After": str(RETRY_S)})
        except OSError:
            return _said(503, "it cannot be kept; try again", {"Retry-After": str(RETRY_S)})
        wake()
        return JSONResponse(_answer(account, parsed))

    return Starlette(
        routes=[
            Route("/{account}/{secret}", receive, methods=["POST"]),
            Route("/{account}", receive, methods=["POST"]),
        ]
    )


def _account(request: Request, accounts: list[Account], secret: str) -> Account | None:
    """The account that is addressed, where the secret is right."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    given = request.path_params.get("secret") or request.headers.get(HEADER) or bearer
    right = hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())
    name = request.path_params["account"].lower()
    found = next((account for account in accounts if account.name.lower() == name), None)
    return found if right else None


async def _body(request: Request) -> bytes | None:
    """None: it is too large."""
    with suppress(ValueError):
        if int(request.headers.get("content-length", "0")) > MOST_BYTES:
            return None
    parts, length = [], 0
    async for part in request.stream():
        parts.append(part)
        length += len(part)
        if length > MOST_BYTES:
            return None
    return b"".join(parts)


def _answer(account: Account, body: Any) -> Any:
    """What the vendor wants to hear; most want no more than a 2xx."""
    try:
        vendor = registry.load(account.provider)
    except ProviderError:
        return {"kept": True}
    answers = isinstance(vendor, type) and issubclass(vendor, AnswersWebhooks)
    return vendor.webhook_answer(body) if answers else {"kept": True}  # type: ignore[attr-defined]


def _said(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, headers)
