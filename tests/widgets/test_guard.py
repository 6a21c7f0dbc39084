"""Whatever a widget draws, the terminal is sent no character that could steer it."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList, Static, TextArea

from tests.providers.test_sanitize import FORBIDDEN_BIDI, harmless
from tests.widgets.samples import HOSTILE
from tests.widgets.terminal import shapes
from widgets.ordered_app import OrderedApp

ALL = " ".join(HOSTILE)


class Raw(Widget):
    """Lines that nobody has looked at, with a style that links somewhere."""

    def render_line(self, y: int) -> Strip:
        text = HOSTILE[y % len(HOSTILE)]
        style = Style(link="https://x.example/\x1b\\\x1b]52;c;cHduZWQ=\x07")
        return Strip([Segment(text, style)], cell_len(text))


class Careless(OrderedApp[None]):
    """Every way by which a text comes onto the screen, without any of ours that makes it safe."""

    CSS = "Raw { height: 14; border: solid red; } Input, OptionList, TextArea { height: 4; }"

    def compose(self) -> ComposeResult:
        raw = Raw()
        raw.border_title, raw.border_subtitle = Content(ALL), Content(ALL)
        raw.tooltip = Content(ALL)
        yield raw
        yield Static(Content(ALL))
        yield Label(ALL, markup=False)
        yield Input(ALL, placeholder=ALL)
        yield OptionList(*map(Content, HOSTILE))
        yield TextArea(ALL)

    def on_mount(self) -> None:
        self.title = self.sub_title = ALL
        self.notify(ALL, title=ALL, markup=False)


async def test_the_screen_lets_nothing_through() -> None:
    app = Careless()
    async with app.run_test(size=(100, 60), notifications=True, tooltips=True) as pilot:
        await pilot.hover(Raw)
        await pilot.pause(0.5)
        app.screen.post_message(events.Paste(ALL))
        await pilot.pause()
        sent = [strip.render(app.console) for strip in app.screen._compositor.render_strips()]
        drawn = list(app.screen._compositor.render_strips())
    for strip in drawn:
        text = strip.text
        assert harmless(text.replace("\ue000", "")), ascii(text)
        assert not FORBIDDEN_BIDI & set(text)
        assert cell_len(text) == strip.cell_length == 100
        assert not any(segment.style and segment.style.link for segment in strip)
    assert any("PWNED" in strip.text for strip in drawn)
    assert all(shape.endswith(b"m") for shape in shapes("".join(sent).encode()))
