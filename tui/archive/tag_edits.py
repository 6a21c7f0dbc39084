"""Tags as people type them: several at once, to give and to take away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tui.archive.triage_events import Change, tag, untag

HELP = '-x: take away, "two words"'
_PIECE = re.compile(r'(?P<minus>-?)"(?P<quoted>[^"]*)"?|(?P<comma>,)|(?P<bare>[^\s,]+)')


def tag_changes(text: str, known: Iterable[str] = (), *, blanks_part: bool = True) -> list[Change]:
    """What ``billing, -"call back"`` gives and takes away, in that order.

    Tags stand between commas or, where there is no comma and `blanks_part`, between blanks; one of
    several words is known, or in quotes. A ``-`` in front takes a tag away. Raises ValueError for
    what cannot be a tag.
    """
    pieces = [*_PIECE.finditer(text)]
    by_blanks = blanks_part and not any(piece["comma"] for piece in pieces)
    names = {" ".join(name.lower().split()) for name in known if " " in name}
    found = [
        change
        for run in _runs(pieces)
        for change in (_known(run, names) if by_blanks else [" ".join(run)])
    ]
    if not found:
        raise ValueError("a tag is some text")
    return [_change(name) for name in found]


def written(name: str) -> str:
    """A tag as `tag_changes` takes it for one that is given, where blanks part no tags."""
    return f'"{name}"' if re.search(r"(?:^|\s)-", name) else name


def _runs(pieces: Iterable[re.Match[str]]) -> Iterator[list[str]]:
    """Words that may be of one tag; what was quoted stands alone, with a ``"`` in front."""
    run: list[str] = []
    for piece in pieces:
        bare = piece["bare"]
        if bare is None or bare.startswith("-"):
            if run:
                yield run
            run = []
        if piece["quoted"] is not None:
            yield [f'{piece["minus"]}"{piece["quoted"]}']
        elif bare is not None:
            run.append(bare)
    if run:
        yield run


def _known(run: Sequence[str], names: set[str]) -> Iterator[str]:
    """The tags of some words: the longest known ones, else each word."""
    start, most = 0, max((len(name.split()) for name in names), default=1)
    while start < len(run):
        longest = (
            stop
            for stop in range(min(start + most, len(run)), start + 1, -1)
            if " ".join(run[start:stop]).lower().removeprefix("-") in names
        )
        stop = next(longest, start + 1)
        yield " ".join(run[start:stop])
        start = stop


def _change(name: str) -> Change:
    away = name.startswith("-")
    text = name.removeprefix("-").removeprefix('"')
    return untag(text) if away else tag(text)
