"""`--json FIELDS` prints some fields of a call, and is told from a query."""

from __future__ import annotations

import json
import os

import pytest

from tests.archive.calls import call
from tui.cli import main
from tui.cli.json_fields import ALL_FIELDS, known_fields
from tui.cli.words import parse_words
from tui.config.accounts import make_account
from tui.services import Services


@pytest.fixture
def desk() -> Services:
    services = Services.build(os.environ)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", [call(1), call(2)])
    return services


@pytest.mark.parametrize(
    ("line", "fields", "query"),
    [
        ("--json", ALL_FIELDS, []),
        ("--json missed", ALL_FIELDS, ["missed"]),
        ("--json outcome:missed,abandoned", ALL_FIELDS, ["outcome:missed,abandoned"]),
        ("missed --json", ALL_FIELDS, ["missed"]),
        ("--json id,from missed", ("id", "from"), ["missed"]),
        ("missed --json=contact.name", ("contact.name",), ["missed"]),
        ("--json= id", ALL_FIELDS, ["id"]),
        ("--json tags --limit 3", ("tags",), []),
        ("--limit 3", None, []),
    ],
)
def test_fields_are_told_from_a_query(
    line: str, fields: tuple[str, ...] | None, query: list[str]
) -> None:
    arguments = parse_words(["calls", *line.split()])
    assert (arguments.json, arguments.query) == (fields, query)


def test_some_fields_in_the_order_asked_for(
    desk: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calls", "--json", "id,contact.name,agents,account"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["calls", "--json"]) == 0
    whole = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [[*line] for line in lines] == [["id", "contact.name", "agents", "account"]] * 2
    for line, body in zip(lines, whole, strict=True):
        assert line.pop("contact.name") == body["contact"]["name"]
        assert line == {name: body[name] for name in line}


def test_every_known_field_can_be_asked_for(
    desk: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "desk:1", "--json", ",".join(known_fields())]) == 0
    one = json.loads(capsys.readouterr().out)
    assert main(["show", "desk:1", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert [*one] == known_fields()
    assert {name: one[name] for name in whole} == whole
