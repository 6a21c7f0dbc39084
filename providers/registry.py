"""The vendors by name, without importing them before they are asked for.

Others add a vendor by an entry point in the group ``ringback.providers``:
``name = "package.module:Class"``, where the class satisfies `providers.base.Provider`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from providers.base import Provider
from providers.errors import ProviderError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "ringback.providers"
BUILT_IN = {
    "liner": "providers.liner:Liner",
    "cinnox": "providers.cinnox:Cinnox",
    "nectar": "providers.nectar:Nectar",
}
_NEEDED = ("id", "title", "capabilities", "settings", "pages", "call", "recordings", "parse")


@cache
def _others() -> dict[str, EntryPoint]:
    """Vendors installed by others; a built-in name is never theirs."""
    from importlib.metadata import entry_points  # it costs start-up time

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}


def names() -> list[str]:
    """All vendors' names, the built-in ones first."""
    return [*BUILT_IN, *sorted(_others())]


def load(name: str) -> type[Provider]:
    """A vendor's class; imports that one module. Raises `ProviderError` in clear words."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found: type[Provider] = getattr(import_module(module), attribute)
        return found
    point = _others().get(name)
    if point is None:
        known = ", ".join(names())
        raise ProviderError("Unknown vendor", f"{name[:40]!r} is not one of {known}.")
    try:
        loaded: type[Provider] = point.load()
    except Exception as error:  # whatever somebody else's module does while it is imported
        kind = type(error).__name__
        raise ProviderError(
            "Vendor does not load",
            f"{name!r} ({point.value}) failed with {kind}.",
            "Update or uninstall the package that brings it.",
        ) from error
    missing = [attribute for attribute in _NEEDED if not hasattr(loaded, attribute)]
    if missing:
        raise ProviderError(
            "Vendor does not load",
            f"{name!r} ({point.value}) lacks {', '.join(missing)}.",
            "Update or uninstall the package that brings it.",
        )
    return loaded


def titles() -> dict[str, str]:
    """Names and titles of the vendors that load."""
    found = {}
    for name in names():
        try:
            found[name] = load(name).title
        except ProviderError:
            continue
    return found
