"""Which postings of the full-text table a change of one call's text touches.

The table keeps, for each term, where it stands in each call. When a few words of a call change,
only those terms are deleted and inserted anew: their newest posting is the one that counts, and
all other terms keep theirs. A phrase needs the distances between words, so what is inserted keeps
its positions by a separator in place of each term that stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

SEPARATOR = "="
"""Stands between two texts, so that no phrase goes over; nobody searches for it."""


DIVIDED = "_"
"""SQLite's tokenizer divides a term here: ``=ring_group=61`` is a phrase of two."""


def field_of(term: str) -> str:
    """The field in whose values a phrase with this term can match; empty for people's words."""
    if DIVIDED in term:
        return DIVIDED  # of such fields the pieces may be the same, so they are one
    return term[: term.find("=", 1) + 1] if term.startswith("=") else ""


def changed_terms(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The terms whose postings differ between two texts of a call.

    People's words have positions in the whole text. A field's values have them only among
    themselves, so a longer note in front of them changes none.
    """
    old, new = _postings(before), _postings(after)
    old_words, new_words = _positions(old.pop("", [])), _positions(new.pop("", []))
    words = {
        term
        for term in old_words.keys() | new_words.keys()
        if old_words.get(term) != new_words.get(term)
    }
    fields = {
        term
        for field in old.keys() | new.keys()
        if _relative(old.get(field, [])) != _relative(new.get(field, []))
        for _, term in (*old.get(field, ()), *new.get(field, ()))
    }
    return words | fields


def texts_to_rewrite(before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """What to delete from the full-text table and what to insert, for a call whose text changes."""
    changed = changed_terms(before, after)
    deleted = " ".join(term for term in dict.fromkeys(before) if term in changed)
    inserted = [term if term in changed else SEPARATOR for term in after]
    written = [at for at, term in enumerate(inserted) if term != SEPARATOR]
    if not written:
        return deleted, ""
    # positions count from the text's beginning for people's words alone
    has_words = any(field_of(inserted[at]) == "" for at in written)
    first = 0 if has_words else written[0]
    return deleted, " ".join(inserted[first : written[-1] + 1])


_Posting = tuple[int, str]
"""A position and the term that stands there."""


def _postings(terms: Sequence[str]) -> dict[str, list[_Posting]]:
    """The postings of a text by field, in order."""
    found: defaultdict[str, list[_Posting]] = defaultdict(list)
    for position, term in enumerate(terms):
        if term != SEPARATOR:
            found[field_of(term)].append((position, term))
    return dict(found)


def _positions(postings: Sequence[_Posting]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for position, term in postings:
        found[term].append(position)
    return found


def _relative(postings: Sequence[_Posting]) -> list[_Posting]:
    """Positions from the first one on."""
    return [(position - postings[0][0], term) for position, term in postings]
