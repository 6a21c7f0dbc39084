"""``python -m tui.audio OUTPUT``: the engine's process. Started by `tui.audio.player`."""

import sys

from tui.audio.engine import main

main(sys.argv[1])
