"""What a vendor may declare of its accounts' settings, and what their values may be."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from providers import registry
from providers.model import Setting
from providers.settings import OWN_OPTIONS, check_value, declaration_problem, with_defaults
from tui.cli import main

PLAIN = Setting("workspace", "--workspace", "Workspace", "Whose calls to list.")


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        (PLAIN, ""),
        (replace(PLAIN, key="Work space"), "cannot have this key"),
        (replace(PLAIN, key="region"), "cannot have this key"),
        (replace(PLAIN, key="api_key"), "looks like a token"),
        (replace(PLAIN, option="workspace"), "cannot have the option workspace"),
        (replace(PLAIN, option="--region"), "cannot have the option --region"),
        (replace(PLAIN, kind="ids"), "ends in _ids|holds ids and does not end in _ids"),
        (replace(PLAIN, key="team_ids"), "holds ids and does not end in _ids"),
        (replace(PLAIN, key="team_ids", kind="ids"), ""),
        (replace(PLAIN, kind="choice"), "has choices and is no choice"),
        (replace(PLAIN, choices=("a", "b")), "has choices and is no choice"),
        (replace(PLAIN, kind="choice", choices=("a", "b"), default="a"), ""),
        (
            replace(PLAIN, kind="choice", choices=("a", "b"), default="c"),
            "has a wrong default: 'c'",
        ),
        (replace(PLAIN, kind="number", default="-1"), "has a wrong default: '-1'"),
        (replace(PLAIN, kind="flag", default="yes"), ""),
    ],
)
def test_a_declaration(setting: Setting, problem: str) -> None:
    said = declaration_problem([setting])
    assert any(one in said for one in problem.split("|")) if problem else said == ""


def test_two_settings_share_nothing_and_each_is_a_setting() -> None:
    assert "of another" in declaration_problem([PLAIN, replace(PLAIN, option="--other")])
    assert "of another" in declaration_problem([PLAIN, replace(PLAIN, key="other")])
    assert declaration_problem([PLAIN, replace(PLAIN, key="other", option="--other")]) == ""
    assert "no Setting" in declaration_problem([("workspace", "--workspace")])


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("text", ["", "any thing"], []),
        ("ids", ["1-3,7"], ["x", "3-1"]),
        ("number", ["0", "12"], ["-1", "1.5", "١٢", "x"]),
        ("choice", ["a", "b"], ["c", "A", ""]),
        ("flag", ["yes", "no"], ["true", "Yes", ""]),
    ],
)
def test_values(kind: str, right: list[str], wrong: list[str]) -> None:
    choices = ("a", "b") if kind == "choice" else ()
    setting = replace(PLAIN, kind=kind, choices=choices)  # type: ignore[arg-type]
    for value in right:
        check_value(setting, value)
    for value in wrong:
        with pytest.raises(ValueError, match=r"not|neither"):
            check_value(setting, value)


def test_defaults_hold_where_nothing_is_given() -> None:
    settings = [
        replace(PLAIN, default="main"),
        Setting("limit", "--limit", "Limit", "", kind="number"),
    ]
    assert with_defaults(settings, {}) == {"workspace": "main"}
    given = {"workspace": "north", "limit": "5", "other": "kept"}
    assert with_defaults(settings, given) == given
    with pytest.raises(ValueError, match="limit: 'x' is not a whole number"):
        with_defaults(settings, {"limit": "x"})


def test_no_vendor_can_take_an_option_that_every_account_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["accounts", "add", "--help"])
    usage = capsys.readouterr().out.partition("positional arguments")[0]
    declared = {one.option for vendor in registry.loadable().values() for one in vendor.settings}
    assert {*re.findall("--[a-z-]+", usage), "--help"} == {*OWN_OPTIONS, *declared}
