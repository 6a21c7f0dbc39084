"""What `providers.base` promises, as tests that any vendor's tests inherit.

A subclass says how to build its provider and how its server answers. It needs three calls and
gives their ids in the order of the walk.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from providers.base import Login, Names, Provider, Secret
from providers.errors import AuthError, NotFound, ProviderError, Unreachable
from providers.model import Call, CallQuery, Page
from providers.settings import declaration_problem
from tests.providers.server import Answer, Request, Server, Waits

TOKEN = "tok-SECRET-42"
QUERY = CallQuery(
    datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, 12, 30, 15, 250, tzinfo=UTC)
)


def login(base_url: str, **settings: str) -> Login:
    return Login(base_url, Secret(TOKEN), settings, Names())


async def walk(provider: Provider, cursor: str | None = None) -> list[Page]:
    return [page async for page in provider.pages(QUERY, cursor)]


class ProviderContract:
    vendor: ClassVar[type[Any]]
    ids: ClassVar[tuple[str, str, str]]
    header: ClassVar[str]
    """Name of the header that carries the token."""

    def login(self, base_url: str) -> Login:
        """An account at the scripted server."""
        raise NotImplementedError

    def script(self, server: Server) -> None:
        """Let the server answer with the three calls."""
        raise NotImplementedError

    def routes(self, server: Server) -> list[str]:
        """The paths that calls come from."""
        raise NotImplementedError

    def hostile(self) -> Any:
        """A raw whose every field is of the wrong type."""
        raise NotImplementedError

    @pytest.fixture
    async def provider(self, server: Server) -> AsyncIterator[Any]:
        self.script(server)
        async with self.vendor(self.login(server.url)) as provider:
            provider.sleep = Waits()
            yield provider

    async def test_words_about_itself(self) -> None:
        assert self.vendor.id.isalnum() and self.vendor.id.islower()
        assert self.vendor.title
        assert 0 < self.vendor.capabilities.page_size <= 1000
        assert declaration_problem(self.vendor.settings) == ""
        assert all(setting.title and setting.help[-1] == "." for setting in self.vendor.settings)

    async def test_check_says_one_line(self, provider: Any) -> None:
        said = await provider.check()
        assert said and "\n" not in said and TOKEN not in said

    async def test_every_request_carries_the_token_once(
        self, provider: Any, server: Server
    ) -> None:
        await walk(provider)
        assert server.requests
        for request in server.requests:
            sent = [value for value in request.headers.values() if TOKEN in value]
            assert sent == [request.headers[self.header]]
            assert not any(TOKEN in value for _, value in request.query)

    async def test_a_walk_gives_every_call_once(self, provider: Any) -> None:
        pages = await walk(provider)
        assert [call.id for page in pages for call in page.calls] == list(self.ids)
        assert [page.cursor for page in pages][-1] is None
        assert all(page.cursor for page in pages[:-1])
        for page in pages:
            assert not (page.unreadable or page.failed or page.unknown_ids)

    async def test_calls_are_sound(self, provider: Any) -> None:
        for page in await walk(provider):
            for call in page.calls:
                assert call.provider == self.vendor.id
                assert call.problems == ()
                assert all(
                    getattr(call, "from_" if n == "from" else n) is not None for n in call.derived
                )
                for name in ("started_at", "ended_at"):
                    moment = getattr(call, name)
                    assert moment is None or moment.utcoffset() == timedelta(0)
                json.dumps(call.raw, allow_nan=False)
                hash(replace(call, raw=None))

    async def test_parse_gives_the_same_again(self, provider: Any) -> None:
        for page in await walk(provider):
            for call in page.calls:
                stored = json.loads(json.dumps(call.raw))
                assert provider.parse(stored) == call
                assert provider.merge(stored, stored) == stored

    async def test_one_call_or_a_clear_no(self, provider: Any) -> None:
        if self.vendor.capabilities.gets_one_call:
            assert (await provider.call(self.ids[1])).id == self.ids[1]
        with pytest.raises(NotFound):
            await provider.call("987654321")

    async def test_ids_cannot_leave_their_place(self, provider: Any, server: Server) -> None:
        with pytest.raises(ProviderError):
            await provider.call("../../v1/x?y=1#z")
        assert all(("y", "1") not in request.query for request in server.requests)

    async def test_recordings_of_a_call(self, provider: Any) -> None:
        [call, *_] = [call for page in await walk(provider) for call in page.calls]
        asked = await provider.recordings(call)
        found = asked.recordings
        assert asked.recordings_known and found
        assert provider.parse(json.loads(json.dumps(asked.raw))) == asked
        assert all(recording.url for recording in found)
        assert all(str(recording.url) not in repr(recording) for recording in found)

    @pytest.mark.parametrize("status", [401, 403])
    async def test_a_refused_token(self, provider: Any, server: Server, status: int) -> None:
        for path in self.routes(server):
            server.on(path, Answer({"message": f"bad {TOKEN}"}, status))
        with pytest.raises(AuthError) as caught:
            await walk(provider)
        assert TOKEN not in repr(caught.value)
        with pytest.raises(AuthError):
            await provider.check()

    async def test_a_vendor_that_is_down(self, provider: Any, server: Server) -> None:
        for path in self.routes(server):
            server.on(path, Answer(b"<h1>Bad gateway</h1>", 502))
        with pytest.raises(Unreachable):
            await walk(provider)

    async def test_a_hostile_row_is_a_row_with_problems(self, provider: Any) -> None:
        call = provider.parse(self.hostile())
        assert call.id and call.problems
        assert "SECRET-VALUE" not in " ".join(call.problems)
        assert isinstance(call, Call)
        for field in fields(Call):
            if field.name not in ("raw", "problems"):
                assert "object at" not in repr(getattr(call, field.name))

    async def test_what_no_call_should_have_is_cut_and_told(self, provider: Any) -> None:
        [call, *_] = [call for page in await walk(provider) for call in page.calls]
        raw = json.loads(json.dumps(call.raw))
        part = raw[0] if isinstance(raw, list) else raw
        part |= {"something": "x" * 1_000_000, "things": [{"a": 1}] * 10_000}
        cut = provider.parse(raw)
        text = json.dumps(cut.raw)
        assert len(text) < 50_000 and provider.parse(json.loads(text)) == cut
        assert replace(cut, problems=(), raw=None) == replace(call, raw=None)
        [one, other] = cut.problems
        assert one.endswith("something: cut, it had 1,000,000 characters")
        assert other.endswith("things: 9,800 or more left out")

    async def test_no_object_is_no_call(self, provider: Any) -> None:
        for raw in (None, 1, "x", [], [1, "x"]):
            with pytest.raises(ValueError):
                provider.parse(raw)

    async def test_credential_for_recordings_stays_at_home(
        self, provider: Any, server: Server
    ) -> None:
        assert any(TOKEN in v for v in provider.media_headers(server.url + "/x.mp3").values())
        for other in (
            f"https://127.0.0.1:{server.port}/x",
            f"http://127.0.0.1:{server.port}.evil.com/x",
            f"http://127.0.0.1:{server.port}@evil.com/x",
            f"http://localhost:{server.port}/x",
            "http://127.0.0.1:1/x",
            "https://media.plivo.com/x",
            "file:///x",
            "nonsense",
        ):
            assert provider.media_headers(other) == {}

    async def test_cancelling_a_walk(self, provider: Any, server: Server) -> None:
        over = threading.Event()

        def stalled(request: Request) -> Answer:
            over.wait(5)
            return Answer({}, 500)

        for path in self.routes(server):
            server.on(path, stalled)
        task = asyncio.create_task(walk(provider))
        await asyncio.to_thread(server.wait_for, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        over.set()
