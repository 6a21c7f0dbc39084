"""``python -m tui.audio OUTPUT``: the engine's process. Started by `tui.audio.player`."""

import sys
from contextlib import suppress

from tui.audio.decoder import Hands
from tui.audio.priority import raise_priority

first = raise_priority()
hands = Hands()
with suppress(OSError):  # it is said when something is to be played
    hands.play.warm()  # what takes longest begins before all else is loaded

from tui.audio.engine import main  # noqa: E402

main(sys.argv[1], hands, first=first)
