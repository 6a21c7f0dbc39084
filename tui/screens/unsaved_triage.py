"""Steps of triage that could not be written before the screen closed, told with their cure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from providers.counts import counted
from tui.archive.errors import ArchiveError
from tui.archive.tag_edits import written
from tui.archive.triage_events import CallName, Change
from tui.exit_codes import CommandError, ExitCode
from widgets.columns import duration_text

CURES = {
    "locked": "Another program holds {file}; when it has let go:",
    "full": "When the disk has room again:",
    "readonly": "When you may write {file} again:",
}
"""What to do first, by a word of SQLite's complaint."""
OTHERWISE = "What is wrong, says: ringback doctor. Then:"
VALUES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "state": lambda body: str(body["state"]),
    "note": lambda body: str(body["text"]),
    "tag": lambda body: written(str(body["tag"])),
    "untag": lambda body: written(str(body["tag"])),
    "comment": lambda body: f"{duration_text(body['at_s'])} {body['text']}",
}
"""What stands behind the option of `ringback triage` that is named like a kind of change."""


class UnsavedTriage(NamedTuple):
    """One step: its calls, what was decided (nothing: a step was taken back), and the trouble."""

    names: Sequence[CallName]
    changes: Sequence[Change]
    error: Exception


def unsaved_text(steps: Sequence[UnsavedTriage], file: Path) -> CommandError:
    """What to say of some steps: the trouble, its cure, and commands that do the steps again."""
    count = "a step" if len(steps) == 1 else counted(len(steps), "step")
    error = steps[0].error
    lines = [_cure(error, file), *(line for step in steps for line in _again(step))]
    return CommandError(
        f"{count} of triage could not be kept: {error}", "\n".join(lines), ExitCode.PARTLY
    )


def _cure(error: Exception, file: Path) -> str:
    if isinstance(error, ArchiveError) and error.hint:
        return f"{error.hint} Then:"
    said = str(error)
    found = (cure.format(file=file) for word, cure in CURES.items() if word in said)
    return next(found, OTHERWISE)


def _again(step: UnsavedTriage) -> Iterator[str]:
    """The step as a command. A comment on another recording than the first has none, so what it
    says is told.
    """
    calls = " ".join(shlex.quote(f"{account}:{id_}") for account, id_ in step.names)
    if not step.changes:
        yield "  ringback triage --undo"
    options = [option for change in step.changes for option in _options(change)]
    if options:
        yield f"  ringback triage {calls} {shlex.join(options)}"
    for kind, body in step.changes:
        if kind in ("hold", "release"):
            why = [f"--reason={body['reason']}"] if body.get("reason") else []
            words = shlex.join(["--release"] if kind == "release" else why)
            yield f"  ringback hold {calls} {words}".rstrip()
        if body.get("recording"):
            at = f"recording {body['recording'] + 1}, {VALUES[kind](body)}"
            yield f"  c on {calls}, {at}"


def _options(change: Change) -> list[str]:
    kind, body = change
    if kind not in VALUES or body.get("recording"):
        return []
    value = VALUES[kind](body)
    words = [f"--{kind}={value}"] if value.startswith("-") else [f"--{kind}", value]
    if until := body.get("until"):
        words += ["--until", f"{datetime.fromtimestamp(until, UTC):%Y-%m-%dT%H:%M:%SZ}"]
    return words
