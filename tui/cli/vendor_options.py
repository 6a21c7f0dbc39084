"""The options of `accounts add` that vendors declare in `providers.base.Provider.settings`."""

from __future__ import annotations

import argparse
from functools import partial

from providers import registry
from providers.base import Provider
from providers.model import Setting
from providers.sanitize import safe_text
from providers.settings import choices_of
from tui.exit_codes import CommandError, ExitCode

METAVARS = {"text": "TEXT", "ids": "IDS", "number": "N"}
"""What stands for a setting's value in the help; its choices where it has any."""


def add_vendor_options(parser: argparse.ArgumentParser) -> None:
    """The options of all vendors that load; several may have the same."""
    declared: dict[str, list[tuple[str, Setting]]] = {}
    for vendor in registry.loadable().values():
        for setting in vendor.settings:
            declared.setdefault(setting.option, []).append((vendor.title, setting))
    for option, settings in declared.items():
        _, first = settings[0]
        is_flag = all(setting.kind == "flag" for _, setting in settings)
        parser.add_argument(
            option,
            action="append",
            dest="vendor_options",
            default=[],
            type=partial(_named, option),
            nargs="?" if is_flag else None,
            const=(option, "yes") if is_flag else None,
            metavar=METAVARS.get(first.kind) or "|".join(choices_of(first)),
            help="; ".join(_help(title, setting) for title, setting in settings),
        )


def _named(option: str, value: str) -> tuple[str, str]:
    return option, value


def _help(title: str, setting: Setting) -> str:
    needed = " (needed)" if setting.required else ""
    default = f" Default: {setting.default}." if setting.default else ""
    text = f"{title}: {setting.title}{needed}. {setting.help}{default}"
    return safe_text(text, 500).replace("%", "%%")  # argparse's own sign


def settings_given(vendor: type[Provider], arguments: argparse.Namespace) -> dict[str, str]:
    """The settings that a command line gives by a vendor's own options. Raises `CommandError` for
    an option of another vendor.
    """
    keys = {setting.option: setting.key for setting in vendor.settings}
    for option, _ in arguments.vendor_options:
        if option not in keys:
            raise CommandError(
                f"{vendor.title} has no option {option}",
                f"It has: {', '.join(keys) or 'none'}.",
                ExitCode.USAGE,
            )
    return {keys[option]: value for option, value in arguments.vendor_options}
