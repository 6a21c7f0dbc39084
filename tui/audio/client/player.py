"""The program's end of the sound: what to play, where it is, and what became of it.

`Player` belongs to one asyncio loop. It starts the engine with the first recording, keeps it
for the next, and starts another when it has died. All of its methods but `play` and `close`
return at once; what they lead to comes by the callback.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from providers.errors import reason
from tui.audio import protocol
from tui.audio.client import notices
from tui.audio.client.byte_server import ByteServer, unreadable
from tui.audio.client.connection import GONE, EngineConnection, open_connection
from tui.audio.client.connector import Connect, EngineConnector
from tui.audio.client.route import Route, find_route
from tui.audio.client.source import FileSource, Source
from tui.audio.client.state import VOLUMES, Loop, PlayerState, Side, Status, next_loop
from tui.audio.client.turns import clock, next_turn, turns
from tui.audio.peaks import Peaks
from tui.audio.protocol import Message

__all__ = ["FileSource", "Player", "PlayerState", "Side", "Source"]

SPEEDS = (0.5, 3.0)
REWIND_S = 1.5
_REWOUND_AFTER_S = 0.5  # whoever pauses for less has not lost the thread
_QUIET_S = 0.25  # between two positions
_UNREPORTED_S = 1.0  # then nobody may be hearing it: a speaker's machine sleeps
_UNDECODABLE = ("not_sound", "damaged", "no_sound")
_UNKNOWN: dict[str, Any] = {"length_s": None, "incomplete": False, "loop": None, "channels": None}

_log = logging.getLogger(__name__)


class Player:
    """Plays one recording at a time.

    `on_change` is called in the loop's thread at every change, with positions and peaks at
    most four times a second. `output` is ``miniaudio``, ``wav:PATH`` or ``none``; when it is
    not given, `route` is asked for the way whenever an engine is needed. `connect` opens the
    engine at its end; `clock` tells seconds.
    """

    def __init__(
        self,
        on_change: Callable[[PlayerState], None],
        output: str | None = None,
        route: Callable[[], Route] | None = None,
        connect: Connect = open_connection,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_change, self._clock = on_change, clock
        fixed = Route("local", output) if output else None
        find = route or find_route
        self._connector = EngineConnector(lambda: fixed or find(), self._listen, connect)
        self._notice = self._connector.route.notice
        self._interrupted = False
        """Whether it would still play, had the speaker not gone."""
        self.state = PlayerState(output=self._connector.route.label, message=self._notice)
        self.rewind_s = REWIND_S
        """How far `resume` goes back."""
        self._peaks: Peaks | None = None
        self._paused_at: float | None = None
        self._reading: asyncio.Task[None] | None = None
        self._byte_server = ByteServer(self._give, self._give_up)
        self._reopening: asyncio.Task[None] | None = None
        self._source: Source | None = None
        self._id = 0
        self._seq = 0
        self._paused = False
        self._engine_state = "waiting"
        self._heard_at = 0.0
        self._told_at = self._peaks_told_at = 0.0
        self._closed = False

    # what the user wants

    async def warm(self) -> None:
        """Start the engine before there is anything to play. Never fails."""
        self._refresh_route()
        if self._connector.route.kind != "none":  # silence can wait
            with suppress(OSError):  # it is said when something is to be played
                await self._connector.open()

    async def play(
        self, source: Source, *, start_s: float = 0.0, peaks: Peaks | None = None
    ) -> None:
        """Play from `start_s` on instead of whatever plays now. After `close` nothing plays.

        With settled `peaks` it is not measured again. A loop ends with its recording; speed,
        volume, side and skipping stay.
        """
        if self._closed:
            return
        self._byte_server.cancel()
        self._id += 1
        self._seq += 1
        this = self._id
        self._source, self._paused, self._engine_state = source, False, "waiting"
        self._peaks = peaks if peaks is not None and peaks.settled else Peaks()
        self._change(
            status="loading",
            position_s=max(0.0, start_s),
            message=self._notice,
            reason="",
            peaks_revision=self._peaks.revision,
            **_UNKNOWN,
        )
        await self._begin(this)

    async def _begin(self, this: int) -> None:
        """Give the recording to an engine, as the state says it is to be played."""
        self._interrupted = False
        try:
            self._refresh_route()
            route = self._connector.route
            connection = await self._connector.open()
            if self._connector.route != route:  # the speaker had just gone
                self._announce_route()
        except OSError as error:
            if this == self._id:
                self._fail(f"the sound engine cannot be started ({reason(error)})")
            return
        if this == self._id and connection is not None:
            self._open(connection)

    def _reopen(self) -> None:
        """Open the recording anew where it was heard last, at the engine that the way has now."""
        self._byte_server.cancel()
        self._id += 1
        self._seq += 1
        self._engine_state = "waiting"
        self._change(status=self._status(), position_s=self.position_s, message=self._notice)
        self._reopening = asyncio.get_running_loop().create_task(self._begin(self._id))

    def reroute(self) -> None:
        """Ask again where sound is to come out, and move what is open there.

        What plays goes on there; what played when its speaker went plays on at the next one.
        """
        changed = self._closed or self._refresh_route()
        back = self._interrupted and self._connector.route.kind == "speaker"
        if self._closed or self._source is None or not (changed or back):
            return
        self._paused = self._paused and not back
        if self.state.status in ("loading", "playing") or back:
            self._reopen()
        elif self.state.status in ("paused", "ended"):  # the next play finds its way
            self._reopening = asyncio.get_running_loop().create_task(self._connector.disconnect())

    def _refresh_route(self) -> bool:
        """Ask for the way; what is said of it changes only with it."""
        if changed := self._connector.refresh_route():
            self._announce_route()
        return changed

    def _announce_route(self) -> None:
        old, self._notice = self._notice, self._connector.route.notice
        message = self._notice if self.state.message in (old, "") else self.state.message
        self._change(output=self._connector.route.label, message=message)

    def pause(self) -> None:
        if self.state.status in ("loading", "playing"):
            position_s = self.position_s
            self._paused, self._paused_at = True, self._clock()
            self._send({"do": "pause", "on": True})
            self._change(status="paused", position_s=position_s)

    def resume(self, *, rewind_s: float | None = None) -> None:
        """Go on, from `rewind_s` seconds (else the attribute's) before where it was paused.

        After a pause of less than half a second, or a seek meanwhile, it goes on where it is.
        In a loop it does not go back beyond its beginning.
        """
        if self.state.status != "paused":
            return
        if rewind_s is None:
            asked_at = self._paused_at
            long = asked_at is not None and self._clock() - asked_at >= _REWOUND_AFTER_S
            rewind_s = self.rewind_s if long else 0.0
        if rewind_s > 0:
            self.seek_to(self.state.before(rewind_s))
        self._paused = False
        if self._connection is None:
            self._reopen()
            return
        self._heard_at = self._clock()
        self._send({"do": "pause", "on": False})
        self._change(status=self._status())

    def toggle(self) -> None:
        """Pause or go on; after the end from the start, after a failure where it failed."""
        match self.state.status:
            case "paused":
                self.resume()
            case "ended":
                self.seek_to(0.0)
                self.resume(rewind_s=0.0)  # it may have been paused before
            case "failed" if self._source is not None:
                again = self.play(self._source, start_s=self.state.position_s)
                self._reopening = asyncio.get_running_loop().create_task(again)
            case _:
                self.pause()

    def stop(self) -> None:
        """Forget the recording."""
        self._byte_server.cancel()
        self._id += 1
        self._source = None
        self._send({"do": "stop"})
        self._peaks = None
        self._change(
            status="idle", position_s=0.0, message=self._notice, peaks_revision=0, **_UNKNOWN
        )

    def seek_by(self, seconds: float) -> None:
        self.seek_to(self.position_s + seconds)

    def seek_to(self, seconds: float) -> None:
        """Exact; beyond the end means the end. After the end it plays on from there."""
        if self.state.status not in ("loading", "playing", "paused", "ended"):
            return
        length_s = self.state.length_s
        to_s = max(0.0, seconds if length_s is None else min(seconds, length_s))
        self._seq += 1
        self._engine_state, self._paused_at = "waiting", None
        self._heard_at = self._clock()
        self._send({"do": "seek", "id": self._id, "seq": self._seq, "to": to_s})
        self._change(status=self._status(), position_s=to_s)
        if self._connection is None and not self._paused and not self._connector.opening:
            self._reopen()  # its engine went after the end

    def seek_fraction(self, fraction: float) -> None:
        """To a part of the whole, 0 to 1; nothing happens while the length is not known."""
        if self.state.length_s is not None:
            self.seek_to(min(max(fraction, 0.0), 1.0) * self.state.length_s)

    def next_turn(self, step: int) -> None:
        """To the beginning of the next turn of speech (1), or of this one or the last (-1)."""
        peaks = self._peaks
        if peaks is None or not peaks.lanes:
            self._change(message=notices.NOT_MEASURED)
            return
        to_s = next_turn(turns(peaks), self.position_s, step)
        if to_s is not None or step < 0:
            self.seek_to(to_s or 0.0)
        else:
            self._change(message=notices.NO_TURN if peaks.complete else notices.NOT_MEASURED)

    def set_speed(self, factor: float) -> None:
        """0.5 to 3 times as fast, at the same pitch; kept for the next recordings."""
        speed = round(min(max(factor, SPEEDS[0]), SPEEDS[1]), 2)
        position_s = self.position_s
        self._heard_at = self._clock()
        self._send({"do": "speed", "x": speed})
        self._change(speed=speed, position_s=position_s)

    def set_volume(self, factor: float) -> None:
        """0 to 2 times as loud; kept for the next recordings. Above 1 peaks are rounded off."""
        volume = round(min(max(factor, VOLUMES[0]), VOLUMES[1]), 2)
        self._send({"do": "volume", "x": volume})
        self._change(volume=volume)

    def set_side(self, which: Side) -> None:
        """One side of a stereo recording on both ears; kept for the next recordings."""
        if which != "both" and self.state.channels == 1:
            self._change(message=notices.ONE_SIDE)
            return
        self._send({"do": "side", "which": which})
        self._change(side=which)

    def set_skip_silence(self, on: bool) -> None:
        """Shorten silences of more than a second; kept for the next recordings."""
        position_s = self.position_s
        self._heard_at = self._clock()
        self._send({"do": "skip", "on": on})
        self._change(skip_silence=on, position_s=position_s)

    def mark_loop(self) -> None:
        """First where it begins, then where it ends, then no loop any more."""
        if self.state.status not in ("loading", "playing", "paused", "ended"):
            return
        at_s, before = self.position_s, self.state.loop
        loop = next_loop(before, at_s)
        if loop == before:
            self._change(message=notices.LOOP_TOO_SHORT)
        elif loop is not None and loop[1] is None:
            self._change(loop=loop)
        else:
            self._loop(loop)
            if loop and loop[1] and not loop[0] <= at_s < loop[1]:
                self.seek_to(loop[0])

    def _loop(self, loop: Loop | None) -> None:
        a, b = loop or (None, None)
        self._send({"do": "loop", "a": a, "b": b})
        self._change(loop=loop)

    async def close(self) -> None:
        """End the engine, within half a second whatever it does. For good."""
        self._closed = True
        self._byte_server.cancel()
        self._id += 1
        await self._connector.close()
        left = [
            task for task in (*self._byte_server.cancel(), self._reopening, self._reading) if task
        ]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def position_s(self) -> float:
        """The second heard right now, between two reports too."""
        state = self.state
        if state.status != "playing" or self._heard_at == 0.0:
            return state.position_s
        return state.after(min(self._clock() - self._heard_at, _UNREPORTED_S))

    @property
    def peaks(self) -> Peaks | None:
        """How loud the present recording is, as far as it is measured."""
        return self._peaks

    # the engine

    @property
    def _connection(self) -> EngineConnection | None:
        return self._connector.connection

    def _listen(self, connection: EngineConnection) -> None:
        self._reading = asyncio.create_task(self._read(connection))

    def _open(self, connection: EngineConnection) -> None:
        assert self._source is not None
        connection.send(
            {
                "do": "open",
                "id": self._id,
                "seq": self._seq,
                "size": self._source.size,
                "paused": self._paused,
                **self.state.open_fields(),
                **(self._peaks.open_fields() if self._peaks is not None else {"peaks": False}),
                "near": isinstance(self._source, FileSource)
                and self._connector.route.kind != "speaker",
            }
        )

    def _send(self, message: Message, body: bytes = b"") -> None:
        if self._connection is not None:
            self._connection.send(message, body)

    async def _read(self, connection: EngineConnection) -> None:
        async for header, body in connection.messages():
            answer = self._ANSWERS.get(str(header.get("is")))
            if answer is not None and header.get("id", self._id) == self._id:
                try:
                    answer(self, header, body)
                except (KeyError, TypeError, ValueError, OverflowError):
                    _log.debug("the engine talks nonsense", exc_info=True)
                    break
        if self._connector.lost(connection):  # it was not we who ended it
            if self.state.status in ("loading", "playing", "paused"):
                self._engine_lost(connection.close_reason)
            await connection.end()  # which takes a while: the next recording may have begun

    def _engine_lost(self, close_reason: str) -> None:
        """The engine has gone by itself. Nothing is lost that a speaker played: it is paused."""
        if not close_reason:
            self._fail(notices.CRASHED)
            return
        self._interrupted = close_reason == GONE and not self._paused
        self._byte_server.cancel()
        self._id += 1
        self._paused, self._paused_at = True, self._clock()
        self._change(status="paused", message=close_reason)  # where it was last heard for certain

    # what the engine says

    def _on_get(self, header: Message, _: bytes) -> None:
        if self._source is not None:
            self._byte_server.serve(self._source, self._id, header)

    def _give(self, id_: int, at: int, data: bytes) -> None:
        if id_ == self._id:
            self._send({"do": "data", "id": id_, "at": at}, data)

    def _give_up(self, id_: int, error: Exception) -> None:
        if id_ == self._id:
            self._send({"do": "stop"})
            self._fail(unreadable(error), getattr(error, "reason", ""))

    def _on_ready(self, header: Message, _: bytes) -> None:
        length_s, channels = header.get("length"), header.get("channels")
        length_s = float(length_s) if length_s else None
        if self._peaks is not None and self._peaks.complete and header.get("exact") is not True:
            length_s = self._peaks.length_beside(length_s)
        self._change(length_s=length_s, channels=int(channels) if channels else None)

    def _on_peaks(self, header: Message, body: bytes) -> None:
        if self._peaks is not None and not self._peaks.complete:
            at, channels = int(header["at"]), int(header["channels"])
            self._peaks.put(at, channels, body, header["done"] is True)
            now = self._clock()
            if self._peaks.complete or now - self._peaks_told_at >= _QUIET_S:
                self._peaks_told_at = now
                self._change(peaks_revision=self._peaks.revision)

    def _on_unmeasured(self, header: Message, _: bytes) -> None:
        if self._peaks is not None and not self._peaks.complete:
            self._peaks.give_up(
                notices.safe_line(header["reason"]), notices.safe_line(header["by"])
            )
            message = self.state.message or notices.unmeasured(self._peaks.trouble)
            self._change(peaks_revision=self._peaks.revision, message=message)

    def _on_hello(self, header: Message, _: bytes) -> None:
        if header.get("version") != protocol.VERSION:
            self._fail(notices.OTHER_VERSION)

    def _on_at(self, header: Message, _: bytes) -> None:
        if header["seq"] != self._seq:
            return
        self._engine_state = str(header["state"])
        position_s, now = float(header["s"]), self._clock()
        if self.state.length_s is not None and position_s > self.state.length_s:
            self.state = replace(self.state, length_s=position_s)  # the header knew less
        changed = self._status() != self.state.status
        self._heard_at = now
        if changed or now - self._told_at >= _QUIET_S:
            self._told_at = now
            self._change(status=self._status(), position_s=position_s)
        else:
            self.state = replace(self.state, position_s=position_s)

    def _on_output(self, header: Message, _: bytes) -> None:
        why = notices.safe_line(header["message"])
        old = self._notice
        self._notice = notices.IN_SILENCE.format(why) if why else self._connector.route.notice
        message = self._notice if self.state.message == old else self.state.message
        name = notices.safe_line(header["name"])
        self._change(output=name, message=message, silent=bool(self._notice))

    def _on_damage(self, header: Message, _: bytes) -> None:
        if header.get("early") is not True:
            self._change(message=notices.DAMAGED)
            return
        ends_s = float(header.get("ends", self.state.position_s))
        states_s = float(header.get("states", self.state.length_s or ends_s))
        message = notices.CUT_OFF.format(clock(ends_s), clock(states_s))
        self._change(message=message, incomplete=True)

    def _on_failed(self, header: Message, _: bytes) -> None:
        reason = header["reason"] if header["reason"] in _UNDECODABLE else ""
        self._fail(f"this cannot be played: {notices.safe_line(header['detail'])}", reason)

    _ANSWERS: ClassVar[dict[str, Callable[[Player, Message, bytes], None]]] = {
        "hello": _on_hello,
        "get": _on_get,
        "ready": _on_ready,
        "peaks": _on_peaks,
        "unmeasured": _on_unmeasured,
        "at": _on_at,
        "output": _on_output,
        "damage": _on_damage,
        "failed": _on_failed,
    }

    # the state

    def _status(self) -> Status:
        if self._engine_state == "ended":
            return "ended"
        if self._paused:
            return "paused"
        return "playing" if self._engine_state == "flowing" else "loading"

    def _change(self, **changes: Any) -> None:
        state = replace(self.state, **changes)
        if state != self.state:
            self.state = state
            self._on_change(state)

    def _fail(self, message: str, reason: str = "") -> None:
        self._id += 1  # what the engine still says of this recording is out of date
        position_s = self.position_s
        self._change(status="failed", position_s=position_s, message=message, reason=reason)
