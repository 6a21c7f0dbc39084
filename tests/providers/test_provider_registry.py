from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from providers import registry
from providers.errors import ProviderError
from providers.model import Setting
from tests.providers.example_vendor import Acme

GROUP = registry.GROUP


class Untidy(Acme):
    """A vendor that would keep a token in config.toml."""

    settings = (Setting("api_key", "--api-key", "API key", "As the vendor gives it."),)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points as if other packages had brought them."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: [p for p in points if p.group == group]
    )
    registry.others.cache_clear()
    yield points
    registry.others.cache_clear()


def test_the_three_vendors() -> None:
    assert registry.names()[:3] == ["liner", "cinnox", "nectar"]
    for name in registry.BUILT_IN:
        vendor = registry.load(name)
        assert vendor.id == name and registry.titles()[name] == vendor.title
    options = {s.option for name in registry.BUILT_IN for s in registry.load(name).settings}
    assert options == {"--order", "--lead", "--app-id", "--ids"}


def test_others_bring_vendors(installed: list[EntryPoint]) -> None:
    installed.append(EntryPoint("acme", "tests.providers.example_vendor:Acme", GROUP))
    assert registry.names() == ["liner", "cinnox", "nectar", "acme"]
    assert registry.load("acme").title == registry.titles()["acme"] == "Acme"


def test_a_built_in_name_is_nobody_elses(installed: list[EntryPoint]) -> None:
    installed.append(EntryPoint("liner", "providers.nectar:Nectar", GROUP))
    assert registry.names() == ["liner", "cinnox", "nectar"]
    assert registry.load("liner").title == "Liner"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no.such.module:X", "ModuleNotFoundError"),
        ("providers.liner:Nothing", "AttributeError"),
        ("providers.model:Call", "lacks title"),
        ("providers.liner:Liner", "has the id 'liner'"),
        (f"{__name__}:Untidy", "a setting 'api_key' that looks like a token"),
    ],
)
def test_a_broken_one_is_said_and_leaves_the_rest(
    installed: list[EntryPoint], value: str, words: str
) -> None:
    installed.append(EntryPoint("acme", value, GROUP))
    with pytest.raises(ProviderError, match=words):
        registry.load("acme")
    assert list(registry.titles()) == ["liner", "cinnox", "nectar"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ProviderError, match="liner, cinnox, nectar"):
        registry.load("twilio")


def test_settings_need_no_http_library_and_one_vendor_no_other() -> None:
    code = (
        "import sys; from providers import registry; registry.load('liner').settings\n"
        "print(sorted(m for m in sys.modules if m in "
        "('httpx', 'providers.cinnox', 'providers.nectar', 'textual')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
