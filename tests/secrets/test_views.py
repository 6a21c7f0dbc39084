"""Built-in views, and the user's own beside them."""

from __future__ import annotations

import pytest

from tui.config.paths import Paths
from tui.config.settings import keep_view, load_settings
from tui.config.views import DEFAULT_VIEWS, views

BUILT_IN = [(view.name, view.key) for view in DEFAULT_VIEWS]


def shown(paths: Paths, text: str) -> list[tuple[str, str | None]]:
    paths.config_file.write_text(text)
    return [(view.name, view.key) for view in views(load_settings(paths))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", BUILT_IN),
        ("[views.angry]\nquery = 'tag:x'\n", [*BUILT_IN, ("angry", "8")]),
        (
            "[views.a]\nquery = 'x'\nkey = '1'\n[views.b]\nquery = 'y'\n",
            [("today", "8"), *BUILT_IN[1:], ("a", "1"), ("b", "9")],
        ),
        ("[views.missed]\nquery = 'x'\nkey = '2'\n", BUILT_IN),
        ("[app]\nbuiltin_views = false\n[views.a]\nquery = 'x'\n", [("a", "1")]),
        ("[app]\nbuiltin_views = false\n", []),
    ],
)
def test_own_views_stand_behind_the_built_in_ones(
    paths: Paths, text: str, wanted: list[tuple[str, str | None]]
) -> None:
    assert shown(paths, text) == wanted


def test_more_views_than_keys(paths: Paths) -> None:
    text = "".join(f"[views.v{n}]\nquery = 'x'\n" for n in range(4))
    assert [key for _, key in shown(paths, text)] == [*"123456789", None, None]


def test_an_own_view_of_a_built_in_name_is_the_own_one(paths: Paths) -> None:
    paths.config_file.write_text("[views.missed]\nquery = 'in missed'\n")
    [missed] = [view for view in views(load_settings(paths)) if view.name == "missed"]
    assert missed.query == "in missed"


def test_a_view_is_kept_and_leaves_the_rest_as_it_is(paths: Paths) -> None:
    paths.config_file.write_text("# mine\n[views.a]\nquery = 'x'  # why\nkey = '4'\n")
    keep_view(paths, "a", "y")
    keep_view(paths, "two words", 'agent:="Łukasz"')
    settings = load_settings(paths)
    assert [(view.name, view.query, view.key) for view in settings.views] == [
        ("a", "y", "4"),
        ("two words", 'agent:="Łukasz"', None),
    ]
    assert "# mine" in paths.config_file.read_text()
