"""What was open and has closed leaves nothing in memory."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable

from textual._styles_cache import StylesCache
from textual.strip import Strip
from textual.widget import Widget

from tests.ui.calls_page import CallsPage, open_page
from tui.services import Services

ROUND = (
    ("question_mark", "q"),
    ("C", "escape"),
    ("colon", "escape"),
    ("D", "escape"),
)
"""Each opens something and closes it."""
KINDS = (Widget, StylesCache)
TIMES = 3


async def _round(page: CallsPage) -> None:
    for opens, closes in ROUND:
        await page.press(opens)
        await page.pause()
        await page.press(closes)
        await page.until(lambda: not page.has_dialog)
        await page.press("j")


def _alive() -> Counter[str]:
    gc.collect()
    alive = [one for one in gc.get_objects() if isinstance(one, KINDS)]
    return Counter(type(one).__qualname__ for one in alive)


async def test_what_was_closed_is_freed_with_all_that_it_was_painted_with(
    synced: Callable[..., Services],
) -> None:
    async with open_page(synced("nectar"), size=(100, 30)) as page:
        await page.idle()
        await _round(page)  # what is made once and stays is there by now
        before, strips = _alive(), _strips()
        for _ in range(TIMES):
            await _round(page)
        # what closed last lives on until its own last task has ended
        await page.until(lambda: (_alive() - before).total() < TIMES)
        assert _strips() < 1.2 * strips + 200


def _strips() -> int:
    return sum(isinstance(one, Strip) for one in gc.get_objects())
