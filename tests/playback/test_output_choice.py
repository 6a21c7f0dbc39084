"""Where a screen's sound comes out, as its key and its speakers say."""

from __future__ import annotations

import socket
from pathlib import Path

from tui.audio.client.route import (
    NO_SPEAKER,
)
from tui.audio.speaker_sockets import (
    socket_path,
)
from tui.playback.output_choice import OutputChoice, describe

SSH = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.1 22", "USER": "anna"}


def test_the_key_goes_round(folder: Path, listening: Path) -> None:
    places = {"RINGBACK_RUNTIME_DIR": str(folder)}
    outlet = OutputChoice({**SSH, **places})
    seen = []
    for _ in range(4):
        outlet.wish = outlet.next_kind()
        seen.append(outlet.route().kind)
    assert seen == ["local", "none", "speaker", "local"]
    assert outlet.is_loud_elsewhere("local")
    assert not OutputChoice(places).is_loud_elsewhere("local")


def test_a_speaker_that_comes_and_goes_is_news_once(folder: Path) -> None:
    outlet = OutputChoice({**SSH, "RINGBACK_RUNTIME_DIR": str(folder)})
    assert outlet.news() == ""
    path = socket_path(folder, "laptop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert outlet.news() == "sound comes out at your speaker (laptop)"
        assert outlet.news() == ""
    path.unlink()
    assert outlet.news() == "the speaker has gone"
    assert outlet.news() == ""
    assert describe(outlet.route()) == NO_SPEAKER.format("ringback speaker anna@10.0.0.1")
