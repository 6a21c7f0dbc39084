"""The README and the pages of `docs` taken apart, and their generated parts made anew (``./run
keys``).
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(language: str) -> list[str]:
    """The code blocks of a language on all pages, in order."""
    texts = [page.read_text("utf-8") for page in PAGES]
    return [body for text in texts for kind, body in _BLOCK.findall(text) if kind == language]


def generated() -> dict[str, str]:
    """What stands between ``<!-- name: ... -->`` and ``<!-- /name -->``, as it should be."""
    from tui.commands import markdown_keys

    example = (ROOT / "tests/providers/example_vendor.py").read_text("utf-8")
    return {
        "keys": markdown_keys(),
        "fields": markdown_fields(),
        "example": f"```python\n{example.strip()}\n```",
    }


def markdown_fields() -> str:
    """The fields of the query line: their titles, and the words for each."""
    from tui.query.fields import TABLE

    named = (" ".join(f"`{word}:`" for word in (field.name, *field.also)) for field in TABLE)
    rows = [f"| {field.title} | {words} |" for field, words in zip(TABLE, named, strict=True)]
    return "\n".join(["| on the screen | in the query |", "|---|---|", *rows])


def with_generated(text: str) -> str:
    """A page's text with its generated parts as they should be. Raises ValueError."""
    for name, wanted in generated().items():
        parts = re.split(rf"(<!-- {name}: .*? -->\n).*?(<!-- /{name} -->)", text, flags=re.S)
        if len(parts) > 4:
            raise ValueError(f"there are several places for {name}")
        if len(parts) == 4:
            text = f"{parts[0]}{parts[1]}{wanted}\n{parts[2]}{parts[3]}"
    return text


def synopsis() -> dict[str, set[str]]:
    """The options that the list of commands gives each command, by its words."""
    [block] = [body for body in blocks("text") if body.startswith("ringback [screen]")]
    found: dict[str, set[str]] = {}
    for line in block.replace("\n    ", " ").splitlines():
        words = re.match(r"ringback((?: \[?[a-z]+\]?(?= |$))*)", line)
        assert words is not None, line
        name = words[1].replace("[", "").replace("]", "").strip()
        found[name] = set(re.findall(r"--[a-z-]+", line))
    return found


if __name__ == "__main__":
    from tests.guards import man_page

    for page in PAGES:
        page.write_text(with_generated(page.read_text("utf-8")), "utf-8")
    man_page.write()
