"""The figures of the calls that match, as eight charts; each bar opens the calls behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid
from textual.widgets import Footer, Static

from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.insights.charts import charts
from tui.insights.figures import Figures, figures
from tui.insights.text import length_text, percent
from tui.query.parser import Query, Term, parse
from tui.screens.context import ScreenContext
from tui.screens.keymap import bindings_of
from tui.screens.reporting import ReportingScreen
from tui.screens.sidebar_items import may_show, piece_of
from widgets.chart_view import ChartView
from widgets.masking import masked_name

CHARTS = 8
TOGETHER = (1, 4, 6, 2, 5, 3)
"""Charts that stand beside each other where there is room, from left to right."""
WIDE, HIGH = 118, 34
"""Cells and lines in which there is."""
PERIODS = ("today", "yesterday", "7 days", "30 days", "all")
_HOURS = 24


class InsightsPlace(NamedTuple):
    """Where the figures were left."""

    query: str
    """The query that they are of, without their period."""
    period: int = 2
    chart: int = 1
    bar: int = 0
    compares: bool = False
    calls: str = ""
    """The query of the calls behind the bar."""


class _Counted(NamedTuple):
    now: Figures
    before: Figures | None


class InsightsScreen(ReportingScreen[InsightsPlace]):
    """Counts the calls of the main screen's query in a period; its answer is where a bar was
    chosen, and None where it was only left.
    """

    DEFAULT_CSS = """
    InsightsScreen {
        background: $background;
        #insights-head { height: 2; padding: 0 1; background: $panel; }
        #insights-charts { height: 1fr; grid-size: 1; padding: 1 0 0 0; }
        #insights-charts.-many { grid-size: 3 2; grid-gutter: 1; }
        #insights-charts.-two { grid-size: 2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("insights")

    def __init__(self, ctx: ScreenContext, place: InsightsPlace | None) -> None:
        super().__init__()
        self._ctx = ctx
        query = ctx.query_text.strip()
        own = any(term.kind == "period" for term in ctx.query.terms)
        self._place = place or InsightsPlace(query, PERIODS.index("all" if own else "7 days"))
        self._counted: _Counted | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="insights-head", markup=False)
        with Grid(id="insights-charts"):
            for number in sorted(range(1, CHARTS + 1), key=_turn):
                view = ChartView(id=f"chart-{number}")
                view.number = number
                yield view
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self._view(self._place.chart).chosen = self._place.bar
        self._lay_out()
        self._count()

    def on_resize(self) -> None:
        self._lay_out()

    def _view(self, number: int) -> ChartView:
        return self.query_one(f"#chart-{number}", ChartView)

    @property
    def _current(self) -> ChartView:
        return self._view(self._place.chart)

    def _lay_out(self) -> None:
        many = self.size.width >= WIDE and self.size.height >= HIGH
        shown = TOGETHER if many and self._place.chart in TOGETHER else (self._place.chart,)
        self.query_one("#insights-charts").set_class(len(shown) > 1, "-many")
        for number in range(1, CHARTS + 1):
            view = self._view(number)
            view.display, view.active = number in shown, number == self._place.chart

    # -- counting

    @property
    def _period_text(self) -> str:
        """The period as a query has it."""
        name = PERIODS[self._place.period]
        if not name.endswith("days"):
            return "" if name == "all" else name
        today = self._ctx.services.now().astimezone(self._ctx.services.zone).date()
        return f"{today - timedelta(days=int(name.split()[0]) - 1)}.."

    def _count(self) -> None:
        self._show_head("counting ...")
        self.run_worker(self._read(), group="insights", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        services, place, period = self._ctx.services, self._place, self._period_text
        now, zone = services.now(), services.zone

        def read(archive: CallArchive) -> _Counted:
            query = parse(place.query, now, zone, archive.has_field)
            span = parse(period, now, zone)
            found = figures(archive.facts(archive.keys(query & span)), zone, now)
            earlier = _before(span) if place.compares else None
            if earlier is None:
                return _Counted(found, None)
            return _Counted(found, figures(archive.facts(archive.keys(query & earlier)), zone, now))

        try:
            counted = await self._ctx.reads.ask(read)
        except ArchiveError as error:
            self._show_head(f"the archive cannot be read: {error}")
            return
        if counted is None:
            return
        self._counted = counted
        self._show_head("")
        for number, chart in enumerate(charts(counted.now, self._piece, self._label), 1):
            self._view(number).chart = chart

    def _piece(self, kind: str, name: str) -> str | None:
        return piece_of(kind, name) if may_show(kind, name, self._ctx.veil) else None

    def _label(self, kind: str, name: str) -> str:
        return name if may_show(kind, name, self._ctx.veil) else masked_name(name)

    def _show_head(self, said: str) -> None:
        place = self._place
        asked = f"{PERIODS[place.period]}   {place.query or 'all calls'}"
        counted = self._counted
        if counted is None:
            self.query_one("#insights-head", Static).update(f"Insights   {asked}\n{said}")
            return
        one, before = counted.now.summary, counted.before.summary if counted.before else None

        def told(number: int, earlier: int | None) -> str:
            return f"{number:,}" + (f" (before: {earlier:,})" if earlier is not None else "")

        first = f"Insights   {asked}   {told(one.calls, before.calls if before else None)} calls"
        second = "   ".join(
            (
                f"answered {percent(one.outcomes.answered, one.calls)}",
                f"lost {told(one.lost, before.lost if before else None)}",
                f"waiting {told(one.waiting, before.waiting if before else None)}",
                f"SLA {percent(*one.sla)}",
                f"wait p90 {length_text(one.wait_s.p90)}",
            )
        )
        self.query_one("#insights-head", Static).update(f"{first}\n{said or second}")

    # -- commands

    def action_chart(self, number: int) -> None:
        self._place = self._place._replace(chart=number)
        self._lay_out()

    def action_next(self, step: int) -> None:
        self.action_chart((self._place.chart - 1 + step) % CHARTS + 1)

    def action_step(self, count: int) -> None:
        self._current.step(count)

    def action_step_down(self, count: int) -> None:
        heat = self._current.chart is not None and self._current.chart.kind == "heat"
        self._current.step(count * _HOURS if heat else count)

    def action_period(self) -> None:
        self._place = self._place._replace(period=(self._place.period + 1) % len(PERIODS))
        self._count()

    def action_compare(self) -> None:
        self._place = self._place._replace(compares=not self._place.compares)
        self._count()
        if self._place.compares and _before(self._span()) is None:
            self.notify("there is no period before this one", severity="warning")

    def _span(self) -> Query:
        services = self._ctx.services
        return parse(self._period_text, services.now(), services.zone)

    def action_calls(self) -> None:
        view = self._current
        if view.chart is None or not view.chart.bars:
            return
        bar = view.chart.bars[view.chosen]
        if not bar.value:
            self.notify("there are no calls behind it", severity="warning")
            return
        query = bar.query
        days = view.chart.kind == "heat"
        own = any(term.kind == "period" for term in self._ctx.query.terms)
        if query is None or (days and own):
            self.notify("no query finds just these calls", severity="warning")
            return
        period = "" if days else self._period_text
        calls = " ".join(part for part in (self._place.query, period, query) if part)
        self.dismiss(self._place._replace(bar=view.chosen, calls=calls))

    def action_leave(self) -> None:
        self.dismiss(None)


def _turn(number: int) -> int:
    """Where a chart stands among the others."""
    return TOGETHER.index(number) if number in TOGETHER else number + len(TOGETHER)


def _before(span: Query) -> Query | None:
    """The period before one, which is as long; None where it has no beginning."""
    for term in span.terms:
        length = term.high - term.low
        bound = Term("bound", "", low=term.low - length, high=term.low - 0.001)
        return Query((bound,))
    return None
