"""The vendors by name, without importing them before they are asked for.

Others add a vendor by an entry point in the group ``ringback.providers``:
``name = "package.module:Class"``, where the class satisfies `providers.base.Provider`.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from providers.base import Provider
from providers.errors import ProviderError
from providers.settings import declaration_problem

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "ringback.providers"
BUILT_IN = {
    "liner": "providers.liner:Liner",
    "cinnox": "providers.cinnox:Cinnox",
    "nectar": "providers.nectar:Nectar",
}
_NEEDED = (
    *("id", "title", "capabilities", "settings", "parser_version", "check", "pages", "call"),
    *("recordings", "parse", "merge", "media_headers"),
)
"""What every vendor has of `providers.base.Provider`."""


@cache
def others() -> dict[str, EntryPoint]:
    """Vendors installed by others; a built-in name is never theirs."""
    from importlib.metadata import entry_points  # it costs start-up time

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}


def names() -> list[str]:
    """All vendors' names, the built-in ones first."""
    return [*BUILT_IN, *sorted(others())]


def load(name: str) -> type[Provider]:
    """A vendor's class; imports that one module. Raises `ProviderError` in clear words."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found: type[Provider] = getattr(import_module(module), attribute)
        return found
    point = others().get(name)
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
    if problem := _problem(name, loaded):
        raise ProviderError(
            "Vendor does not load",
            f"{name!r} ({point.value}) {problem}.",
            "Update or uninstall the package that brings it.",
        )
    return loaded


def _problem(name: str, vendor: type[Provider]) -> str:
    """Why somebody else's class cannot be used, in a few words; empty: it can."""
    missing = [attribute for attribute in _NEEDED if not hasattr(vendor, attribute)]
    if missing:
        return f"lacks {', '.join(missing)}"
    if vendor.id != name:
        return f"has the id {vendor.id!r}"
    return declaration_problem(vendor.settings)


def loadable() -> dict[str, type[Provider]]:
    """The vendors that load, by name."""
    found = {}
    for name in names():
        with suppress(ProviderError):
            found[name] = load(name)
    return found


def titles() -> dict[str, str]:
    """Names and titles of the vendors that load."""
    return {name: vendor.title for name, vendor in loadable().items()}
