"""The jumps between calls that belong together, without a screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC
from typing import NamedTuple

import pytest

from providers.model import Contact
from tests.archive.calls import call
from tests.screens.alone import Alone
from tui.config.paths import Paths
from tui.screens.related_trail import RelatedTrail
from tui.services import Services

ANNA = Contact(name="Anna", number="+12025550199")


class Jump(NamedTuple):
    """Where a trail went: to a call, after which query, and whether its detail is opened."""

    key: int
    query: str | None
    opened: bool


class Walker:
    """A trail over three calls with one number and a fourth with another; the newest is current."""

    def __init__(self, services: Services) -> None:
        with services.open_archive() as archive, archive.transaction():
            calls = [call(number, contact=ANNA) for number in (1, 2, 3)]
            archive.save("desk", [*calls, call(4)])
        with services.open_archive() as archive:
            keys = [archive.key_of("desk", str(number)) for number in (3, 2, 1, 4)]
        self.third, self.second, self.first, self.other = (key for key in keys if key is not None)
        self.alone = Alone(services, [self.third, self.second, self.first, self.other])
        self.jumps: list[Jump] = []
        self.trail = RelatedTrail(self.alone.ctx, lambda: ("anna", False), self.go)

    def go(self, key: int, query: str | None, opened: bool) -> None:
        self.jumps.append(Jump(key, query, opened))
        self.alone.cursor.move_to_key(key)


@pytest.fixture
def walker(paths: Paths) -> Iterator[Walker]:
    walker = Walker(Services(paths, dict(os.environ), UTC))
    yield walker
    assert walker.alone.ctx.archive
    walker.alone.ctx.archive.close()


def test_one_key_goes_round_and_ends_where_it_began(walker: Walker) -> None:
    for _ in range(3):
        walker.trail.go_on()
    assert [jump.key for jump in walker.jumps] == [walker.second, walker.first, walker.third]
    assert walker.jumps[0] == Jump(walker.second, None, True)
    assert walker.jumps[2] == Jump(walker.third, "anna", False), "as it was there"
    assert walker.alone.said[-1] == "back at the call of before"


def test_one_step_back_leads_to_the_call_where_it_began(walker: Walker) -> None:
    assert not walker.trail.go_back(), "nobody jumped"
    walker.trail.go_on()
    walker.trail.go_on()
    assert walker.trail.go_back()
    assert walker.jumps[-1] == Jump(walker.third, "anna", False)
    assert not walker.trail.go_back()


def test_who_moves_on_begins_another_trail(walker: Walker) -> None:
    walker.trail.go_on()
    walker.alone.cursor.move_to_key(walker.other)
    assert not walker.trail.go_back(), "the cursor left the trail"
    walker.trail.go_on()
    assert len(walker.jumps) == 1 and walker.alone.said[-1] == "no related call is known"


def test_a_call_that_is_chosen_is_gone_to_among_the_others(walker: Walker) -> None:
    walker.trail.go_to(walker.first)
    assert walker.jumps == [Jump(walker.first, None, True)]
    assert "2 of 2; esc goes back" in walker.alone.said[-1]
    walker.trail.go_on()
    assert walker.jumps[-1].key == walker.third


def test_without_a_call_it_says_so(paths: Paths) -> None:
    alone = Alone(Services(paths, dict(os.environ), UTC))
    trail = RelatedTrail(alone.ctx, lambda: ("", False), lambda *_: pytest.fail("went somewhere"))
    trail.go_on()
    trail.go_to(1)
    assert alone.said == ["no call is chosen"]
    assert alone.ctx.archive
    alone.ctx.archive.close()
