"""Views: saved queries with a key. The user's come from config.toml, and stand behind these."""

from __future__ import annotations

from dataclasses import replace

from tui.config.settings import Settings, View

_WAITS = "-state:done -state:snoozed"
DEFAULT_VIEWS = (
    View("today", "today", "Today", "1"),
    View("missed", f"open-miss {_WAITS}", "Not called back", "2"),
    View("voicemail", "in voicemail untriaged", "Voicemails", "3"),
    View("callbacks", f"callback -called-back {_WAITS}", "Callbacks", "4"),
    View("sla", f"sla-missed {_WAITS}", "SLA missed", "5", "-wait"),
    View("flagged", "flagged", "Follow up", "6"),
    View("done", "state:done triaged:today", "Done today", "7"),
)
"""What a support desk works through."""


def views(settings: Settings) -> tuple[View, ...]:
    """The views of the sidebar, each with the key that shows it (or none). One of the user's takes
    the place of the built-in one of its name, and its key.
    """
    own = {view.name: view for view in settings.views}
    taken = {view.key for view in settings.views if view.key}
    built_in = DEFAULT_VIEWS if settings.app.builtin_views else ()
    chosen = [
        own.get(view.name, replace(view, key=None) if view.key in taken else view)
        for view in built_in
    ]
    chosen += [view for view in settings.views if view not in chosen]
    free = [str(n) for n in range(1, 10) if str(n) not in {view.key for view in chosen}]
    return tuple(
        view if view.key else replace(view, key=free.pop(0) if free else None) for view in chosen
    )
