"""Views: saved queries with a key. The user's come from config.toml, else these."""

from __future__ import annotations

from tui.settings import Settings, View

DEFAULT_VIEWS = (
    View("today", "today", "Today", "1"),
    View("missed", "in missed abandoned", "Missed", "2"),
    View("voicemail", "voicemail", "Voicemails", "3"),
    View("recorded", "rec", "Recorded", "4"),
    View("week", "7d", "Last 7 days", "5"),
    View("long", "dur>600", "Over 10 minutes", "6"),
)


def views(settings: Settings) -> tuple[View, ...]:
    """The views of the sidebar, each with the key that shows it (or none)."""
    chosen = settings.views or DEFAULT_VIEWS
    free = [str(n) for n in range(1, 10) if str(n) not in {view.key for view in chosen}]
    return tuple(
        view if view.key else View(view.name, view.query, view.title, free.pop(0) if free else None)
        for view in chosen
    )
