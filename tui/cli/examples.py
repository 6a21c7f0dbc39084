"""The examples that stand in each command's help: a line as it is typed, and what it is for."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("ringback", "the screen, with every call"),
        ("ringback yesterday in missed", "the screen, narrowed"),
        ("ringback --view missed", "the screen, with a view"),
        ("ringback calls today --csv > today.csv", "today's calls for a spreadsheet"),
    ),
    "open": (
        ("ringback open desk:1234", "that call"),
        ("ringback open 'ringback://desk/1234?t=3m12s'", "at a moment of its recording"),
    ),
    "demo": (("ringback demo", "look around; it needs no account and no network"),),
    "accounts": (
        ("ringback accounts list", "which there are"),
        ("ringback accounts add --help", "how one is added"),
    ),
    "accounts add": (
        (
            "ringback accounts add desk --provider liner --base-url https://crm.example.com",
            "asks for the token",
        ),
        (
            "ringback accounts add desk --provider liner --base-url https://crm.example.com"
            " --token-command 'pass show liner'",
            "the token comes from a password manager",
        ),
    ),
    "accounts list": (
        ("ringback accounts list", "with where each token comes from"),
        ("ringback accounts list --json", "for programs"),
    ),
    "accounts test": (
        ("ringback accounts test", "all accounts"),
        ("ringback accounts test desk", "one"),
    ),
    "accounts bind": (
        ("ringback accounts bind desk", "after its base URL was changed; asks"),
        ("ringback accounts bind desk https://crm.example.com", "without a question"),
    ),
    "accounts remove": (
        ("ringback accounts remove desk", "asks, and counts what goes"),
        ("ringback accounts remove desk --keep-calls", "its calls stay here"),
    ),
    "sync": (
        ("ringback sync", "what is new, of every account"),
        ("ringback sync desk --since 7d --recordings", "a week of one, with its recordings' list"),
    ),
    "import": (
        ("ringback import desk export.json", "a file of saved calls"),
        ("zcat hooks.jsonl.gz | ringback import desk -", "from another program"),
    ),
    "refresh": (("ringback refresh desk:1234 desk:1235", "what the vendor says of two calls now"),),
    "calls": (
        ("ringback calls today missed", "today's missed calls"),
        ("ringback calls agent:ann 'dur>600' --limit 20", "the newest long calls of an agent"),
        ("ringback calls yesterday --csv > calls.csv", "for a spreadsheet"),
        ("ringback calls --json id,started_at,contact.name", "some fields, for programs"),
        ("ringback calls missed --json | jq -r .from", "callers, with jq"),
    ),
    "stats": (
        ("ringback stats today", "today so far"),
        ("ringback stats --since 7d --by agent", "a week, beside the week before"),
        ("ringback stats --since monday --json | jq .waiting", "how many callers wait"),
        ("ringback stats today --watch 30", "for a screen on the wall"),
    ),
    "show": (
        ("ringback show desk:1234", "its page"),
        ("ringback show desk:1234 --json agents,disposition", "some fields, for programs"),
    ),
    "download": (("ringback download desk:1234 --output recordings", "into that folder"),),
    "play": (
        ("ringback play desk:1234", "the call's first recording"),
        ("ringback play call.mp3 --from 3:12 --speed 1.5", "a file"),
    ),
    "purge": (
        ("ringback purge --number '+1 202 555 0123' --dry-run", "says what would go"),
        ("ringback purge --before 2024-01-01", "asks, and removes it for good"),
    ),
    "hold": (
        ("ringback hold desk:1234 --reason 'claim 77'", "nothing removes it"),
        ("ringback hold desk:1234 --release", "until then"),
        ("ringback hold --list", "which are held"),
    ),
    "audit": (("ringback audit --since 7d", "of the last week"),),
    "triage": (
        ("ringback triage desk:1234", "what was decided"),
        ("ringback triage desk:1234 --state done --note 'refund sent'", "decide"),
        ("ringback triage desk:1234 --state snoozed --until 'tomorrow 9:00'", "later"),
        ("ringback triage --undo", "take the last step back"),
    ),
    "receive": (
        ("ringback receive --addresses", "what to enter at the vendors, behind your https address"),
        ("ringback receive", "listen on this machine alone; your proxy hands requests on"),
    ),
    "doctor": (
        ("ringback doctor", "what works here"),
        ("ringback doctor --repair", "rescue what can be read of a damaged archive"),
    ),
    "paths": (("ringback paths", "config, archive, recordings, log"),),
    "speaker": (
        ("ringback speaker support@desk.example.com", "hear here what is played there"),
        ("ringback speaker desk -p 2222 -- -J jump.example.com", "through another host"),
    ),
    "completions": (
        ("ringback completions bash > ~/.local/share/bash-completion/completions/ringback", "bash"),
        ("ringback completions zsh > ~/.zfunc/_ringback", "zsh, with ~/.zfunc in $fpath"),
        ("ringback completions fish > ~/.config/fish/completions/ringback.fish", "fish"),
    ),
}
"""By the words of the command; ``""``: of the program as a whole."""


def examples_text(command: str) -> str:
    """The section of a command's help; empty where it has none."""
    lines = []
    for line, meaning in EXAMPLES.get(command, ()):
        lines += [f"  {line}", f"      {meaning}"]
    return "\n".join(["examples:", *lines, ""]) if lines else ""
