"""Peaks and turns: made up, and measured by a real engine from real files."""

from __future__ import annotations

import pytest

from tui.audio.peaks import Peaks


def lanes(*texts: str, noise: int = 5) -> Peaks:
    """Made-up lanes: a character is 0.1 s, ``#`` is speech."""
    return Peaks(
        tuple(
            bytearray(b"".join(bytes([150 if c == "#" else noise] * 2) for c in t)) for t in texts
        ),
        True,
    )


def test_peaks_can_be_kept() -> None:
    peaks = Peaks()
    peaks.put(0, 2, bytes([1, 2, 3, 4]), False)
    peaks.put(3, 2, bytes([9, 8]), True)
    assert peaks.lanes == (bytearray([1, 3, 0, 9]), bytearray([2, 4, 0, 8]))
    assert (peaks.complete, peaks.revision) == (True, 2)
    assert peaks.length_s == pytest.approx(0.2)
    again = Peaks.from_bytes(peaks.to_bytes())
    assert (again.lanes, again.complete) == (peaks.lanes, True)


@pytest.mark.parametrize("wrong", [b"", b"RBPK", b"x" * 40])
def test_what_are_no_peaks_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="peaks"):
        Peaks.from_bytes(wrong)
    good = lanes("##").to_bytes()
    for changed in (good[:-1], good + b"x", good[:4] + b"\x09" + good[5:]):
        with pytest.raises(ValueError, match="peaks"):
            Peaks.from_bytes(changed)


@pytest.mark.parametrize(
    ("at", "channels", "body"), [(0, 3, b"abc"), (0, 2, b"a"), (10**9, 1, b"a"), (-1, 1, b"a")]
)
def test_windows_that_cannot_be_are_refused(at: int, channels: int, body: bytes) -> None:
    with pytest.raises(ValueError):
        Peaks().put(at, channels, body, False)
