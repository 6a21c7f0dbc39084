"""The sandbox's vendors on their worst day: every kind of wrong answer, in the same order each time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random

from providers.sandbox import HANG_UP, Request, Sandbox
from providers.sandbox.server import Answer, Handle

SLOW_S = 0.3
ODD = (
    b"[]", b"{}", b"null", b"<html><title>Sign in</title>", b'{"data": {"list": [1, 2, 3]}}',
    b'{"code": 200, "result": [{"callID": 1}, 5]}', b'{"data": [[[[[[[[]]]]]]]]}', b"x" * 200_000,
    b'{"success": true, "data": {"list": [], "next": -1, "total": "many"}}', b"\xff\xfe\x00",
)  # fmt: skip
PLACES = ("", "http://127.0.0.1:1/x", "/elsewhere", "http://[bad", "//other.example/")


class Misbehaving(Sandbox):
    """Answers as it should until `misbehaves` is set; then one in four times."""

    misbehaves = False

    def _handle(self, name: str) -> Handle:
        true: Handle = super()._handle(name)
        random, one_by_one = Random(name), threading.Lock()

        def handle(request: Request) -> Answer:
            if not self.misbehaves:
                return true(request)
            with one_by_one:
                kind = random.choice(_KINDS)
            return kind(random, request, true)

        return handle


Kind = Callable[[Random, Request, Handle], Answer]


def _well(random: Random, request: Request, true: Handle) -> Answer:
    return true(request)


def _slow(random: Random, request: Request, true: Handle) -> Answer:
    time.sleep(SLOW_S)
    return true(request)


def _cut(random: Random, request: Request, true: Handle) -> Answer:
    answer = true(request)
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    return replace(answer, body=body, send=len(body) // 2)


def _failed(random: Random, request: Request, true: Handle) -> Answer:
    return Answer(random.choice((500, 502, 503, 504, 403)), {"message": f"fault {random.random()}"})


def _hung_up(random: Random, request: Request, true: Handle) -> Answer:
    return Answer(HANG_UP)


def _odd(random: Random, request: Request, true: Handle) -> Answer:
    return Answer(200, random.choice(ODD))


def _limited(random: Random, request: Request, true: Handle) -> Answer:
    return Answer(429, {"message": "slow down"}, {"Retry-After": random.choice(("0", "1"))})


def _elsewhere(random: Random, request: Request, true: Handle) -> Answer:
    return Answer(302, b"", {"Location": random.choice(PLACES) or request.path})


_KINDS: tuple[Kind, ...] = (
    *(_well, _well, _well, _slow, _cut, _cut, _failed, _failed),
    *(_hung_up, _odd, _odd, _limited, _elsewhere),
)
