"""The settings that vendors want of an account: whether they are declared well, and given well."""

from __future__ import annotations

import re
from collections.abc import Iterable

from providers.ids import id_ranges
from providers.model import Setting, Settings

OWN_KEYS = (
    *("provider", "base_url", "token_command", "bound_to", "region", "page", "recordings_proxy"),
)
"""Keys that every account in config.toml has or may have: no vendor's."""
OWN_OPTIONS = (
    *("--help", "--provider", "--base-url", "--set", "--region", "--replace"),
    *("--token-stdin", "--token-command"),
)
"""Options that every ``accounts add`` has: no vendor's."""
IDS_ENDING = "_ids"
"""How the keys of ids end: whoever reads config.toml knows them without loading the vendor."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTION = re.compile(r"--[a-z][a-z0-9-]{1,39}")
_SECRET = re.compile(r"(?i)(?:^|[_-])(?:token|secret|password|passwd|api_?key|key|authorization)$")


def names_secret(key: str) -> bool:
    """Whether a key looks like that of a token."""
    return _SECRET.search(key) is not None


def check_value(setting: Setting, value: str) -> None:
    """Raises ValueError with what is wrong with a value, or how it is written."""
    if setting.kind == "ids":
        id_ranges(value)
    elif setting.kind == "number" and not (value.isascii() and value.isdecimal()):
        raise ValueError(f"{value[:40]!r} is not a whole number")
    elif setting.kind in ("choice", "flag") and value not in choices_of(setting):
        raise ValueError(f"{value[:40]!r} is not one of {', '.join(choices_of(setting))}")


def choices_of(setting: Setting) -> tuple[str, ...]:
    """The only values that a setting may have; none: others may be."""
    return ("yes", "no") if setting.kind == "flag" else setting.choices


def with_defaults(settings: Iterable[Setting], given: Settings) -> dict[str, str]:
    """What is given, and the defaults of the rest. Raises ValueError as `check_value`, with the
    setting's key in front.
    """
    known = {setting.key: setting for setting in settings}
    for key in known.keys() & given.keys():
        try:
            check_value(known[key], given[key])
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    return {key: one.default for key, one in known.items() if one.default} | dict(given)


def declaration_problem(settings: Iterable[object]) -> str:
    """What is wrong with the settings that a vendor declares, in a few words; empty: nothing."""
    seen: set[str] = set()
    for setting in settings:
        if not isinstance(setting, Setting):
            return "declares a setting that is no Setting"
        problem = _problem(setting)
        if not problem and seen & {setting.key, setting.option}:
            problem = "has the key or the option of another"
        if problem:
            return f"declares a setting {setting.key!r} that {problem}"
        seen |= {setting.key, setting.option}
    return ""


def _problem(setting: Setting) -> str:
    if not _KEY.fullmatch(setting.key) or setting.key in OWN_KEYS:
        return "cannot have this key"
    if names_secret(setting.key):
        return "looks like a token"
    if not _OPTION.fullmatch(setting.option) or setting.option in OWN_OPTIONS:
        return f"cannot have the option {setting.option}"
    if (setting.kind == "ids") != setting.key.endswith(IDS_ENDING):
        return f"holds ids and does not end in {IDS_ENDING}, or the other way round"
    if (setting.kind == "choice") != bool(setting.choices):
        return "has choices and is no choice, or the other way round"
    try:
        if setting.default:
            check_value(setting, setting.default)
    except ValueError as error:
        return f"has a wrong default: {error}"
    return ""
