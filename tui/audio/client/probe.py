"""Asking an engine where sound would come out, for `ringback doctor`."""

from __future__ import annotations

import asyncio

from providers.errors import reason
from tui.audio import protocol
from tui.audio.client.connection import EngineConnection, open_connection
from tui.audio.client.engine_process import EngineProcess
from tui.audio.client.notices import CRASHED, OTHER_VERSION, safe_line
from tui.audio.client.route import Route, find_route

FIRST = ", before other programs"
IN_TURN = ", in turn with other programs (`ulimit -e` allows no more; see docs/sound.md)"
_PROBE_S = 5.0


async def probe(output: str | None = None, route: Route | None = None) -> str:
    """Where sound would come out here and why, in one line: an engine is asked. Never raises."""
    route = Route("local", output) if output else route or find_route()
    if route.notice:
        return route.notice
    try:
        connection = await open_connection(route)
    except OSError as error:
        return f"no sound: {reason(error)}"
    try:
        async with asyncio.timeout(_PROBE_S):
            return await _ask_output(connection)
    except TimeoutError:
        return f"no sound: the sound system did not answer within {_PROBE_S:.0f} s"
    finally:
        await connection.end()


async def probe_lockdown() -> tuple[dict[str, str], str]:
    """How whoever decodes is held here: each part, and why it does not hold; why there is none.

    Never raises.
    """
    try:
        connection = await EngineProcess.start("none")
    except OSError as error:
        return {}, error.strerror or "it cannot be started"
    try:
        async with asyncio.timeout(_PROBE_S):
            connection.send({"do": "probe"})
            async for header, _ in connection.messages():
                if header.get("is") == "held":
                    return dict(header.get("parts") or {}), safe_line(header.get("why", ""))
        return {}, CRASHED
    except TimeoutError:
        return {}, f"it did not answer within {_PROBE_S:.0f} s"
    finally:
        await connection.end()


async def _ask_output(connection: EngineConnection) -> str:
    connection.send({"do": "probe"})
    order = ""
    async for header, _ in connection.messages():
        if header.get("is") == "hello":
            if header.get("version") != protocol.VERSION:
                return f"no sound: {OTHER_VERSION}"
            order = FIRST if header.get("first") is True else IN_TURN
        if header.get("is") == "output":
            name, why = str(header["name"]), header["message"]
            return f"no sound: {why}" if why else name + order * name.startswith("miniaudio")
    return f"no sound: {CRASHED}"
