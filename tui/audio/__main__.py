"""``python -m tui.audio OUTPUT``: the engine's process. Started by `tui.audio.client.player`."""

import sys
from contextlib import suppress

from tui.audio.engine.decoder import Workers
from tui.audio.engine.priority import raise_priority

first = raise_priority()
workers = Workers()
with suppress(OSError):  # it is said when something is to be played
    workers.play.start()  # what takes longest begins before all else is loaded

from tui.audio.engine.engine import main  # noqa: E402

main(sys.argv[1], workers, first=first)
