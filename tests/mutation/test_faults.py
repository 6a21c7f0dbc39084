"""Which small faults are put into code, and that each is in the place where it should be."""

from __future__ import annotations

import pytest

from tests.mutation.faults import faults


def changed(source: str) -> set[str]:
    return {each.put_into(source) for each in faults(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a == b", {"a != b"}),
        ("a < b", {"a >= b", "a <= b"}),
        ("(a) not  in (b)", {"(a) in (b)"}),
        ("é is not None", {"é is None"}),
        ("a and b", {"a or b"}),
        ("not a", {"(a)"}),
        ("a + 'b'", set()),
        ("a - b", {"a + b"}),
        ("x = 1", {"x = 2"}),
        ("x = 5000", set()),
        ("x = True", {"x = False"}),
        ("a['key']", {"a['keyX']"}),
        ("{'key': b}", {"{'keyX': b}"}),
        ("[a for a in b if c(a)]", {"[a for a in b if (not (c(a)))]"}),
        ("if a: b", {"if (not (a)): b"}),
        ("if a > b: c", {"if a <= b: c", "if a >= b: c"}),
        ("a.b(c)", {"pass"}),
        ("a.b = c", {"pass"}),
        ("raise A", {"pass"}),
        ("log.debug(a)", set()),
        ("assert a == b", set()),
        ("def f(a: L['x'] = b) -> 'c':\n    'text'", set()),
        ("def f():\n    return a", {"def f():\n    return None"}),
        ("while a:\n    break", {"while (not (a)):\n    break", "while a:\n    continue"}),
        ("if TYPE_CHECKING:\n    a = 1", set()),
        ("f'{a == b}'", set()),
    ],
)
def test_each_slip_is_in_its_place(source: str, expected: set[str]) -> None:
    assert changed(source) == expected


def test_an_operator_is_found_behind_a_remark_that_names_it() -> None:
    source = "(\n    a  # é == b\n    == c\n)"
    assert changed(source) == {"(\n    a  # é == b\n    != c\n)"}
