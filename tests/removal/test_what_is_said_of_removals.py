"""What is said of calls that were removed, or stay."""

from __future__ import annotations

import pytest

from tui.archive.records import Due
from tui.removal.deleted_at_vendor import Gone
from tui.removal.retention import Swept

ONE, TWO = frozenset("a"), frozenset("bc")
UNTIL = "until: ringback purge --deleted"


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (Gone(), ""),
        (Gone(removed=ONE), "1 call that the vendor deleted was removed"),
        (Gone(removed=TWO), "2 calls that the vendor deleted were removed"),
        (Gone(held=ONE), "deleted at the vendor: 1 call is on hold and stays"),
        (Gone(held=TWO), "deleted at the vendor: 2 calls are on hold and stay"),
        (Gone(kept=ONE), f"deleted at the vendor: 1 call stays {UNTIL}"),
        (Gone(kept=TWO), f"deleted at the vendor: 2 calls stay {UNTIL}"),
        (
            Gone(ONE, ONE, ONE),
            "1 call that the vendor deleted was removed; deleted at the vendor: 1 call is on hold"
            f" and stays; deleted at the vendor: 1 call stays {UNTIL}",
        ),
    ],
)
def test_of_calls_that_their_vendor_has_no_more(gone: Gone, words: str) -> None:
    assert gone.words == words


FIRST = (
    "older than 400 days (config.toml: retention.calls_days): the next sync or start of the"
    " screen removes them; at once: ringback purge --retention."
)


@pytest.mark.parametrize(
    ("swept", "words"),
    [
        (Swept(), ""),
        (Swept(400), ""),
        (Swept(400, due=Due(3, 0), only_told=True), f"3 calls {FIRST}"),
        (Swept(400, due=Due(1, 2), only_told=True), f"1 call {FIRST} 2 calls are on hold and stay."),
        (Swept(400, due=Due(0, 2), only_told=True), ""),
        (Swept(400, due=Due(3, 0)), ""),
        (Swept(1, 1), "Removed 1 call older than 1 day."),
        (Swept(400, 2, Due(5, 0)), "Removed 2 calls older than 400 days. 5 calls more will follow."),
        (Swept(400, 2, Due(0, 1)), "Removed 2 calls older than 400 days. 1 call is on hold and stays."),
    ],
)  # fmt: skip
def test_of_calls_that_are_older_than_they_are_kept(swept: Swept, words: str) -> None:
    assert swept.words == words
