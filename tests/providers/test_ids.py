"""Ids and ranges of ids, as accounts hold them."""

from __future__ import annotations

import pytest

from providers.ids import id_array, parse_ids


def test_ids_and_ranges() -> None:
    assert parse_ids(" 1000-1003, 7;9\n1002 12 - 13 ") == [1000, 1001, 1002, 1003, 7, 9, 12, 13]
    assert parse_ids("") == []


@pytest.mark.parametrize("bad", ["x", "1-", "-3", "5-2", "0", "1.5", "1-99999999", "1--2"])
def test_ids_say_what_is_wrong(bad: str) -> None:
    with pytest.raises(ValueError, match=r"range|ids"):
        parse_ids(bad)


@pytest.mark.parametrize("text", ["", "1000-1003,7", "7,1000-1003", "1-5,3-9,2", "5,5"])
def test_the_array_of_ids_has_the_same_ids_in_the_same_order(text: str) -> None:
    assert list(id_array(text)) == parse_ids(text)
