"""``python -m providers.sandbox``: serve until standard input closes, so as to end with a parent.

Prints one line of JSON: base URLs, tokens, account settings and the origin of the recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime

from providers.sandbox import VENDORS, Sandbox


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 0, or 1 when a port is taken; exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m providers.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="first of four ports; 0: free ones")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument(
        "--recorded-newest", action="store_true", help="the newest call can be heard, at once"
    )
    parser.add_argument("--now", type=datetime.fromisoformat, help="ISO 8601; default: now")
    try:
        sandbox = Sandbox(**vars(parser.parse_args(argv)))
    except ValueError as error:
        parser.error(str(error))
    try:
        with sandbox:
            print(json.dumps(describe(sandbox)), flush=True)
            while sys.stdin.buffer.read(4096):
                pass
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(f"the sandbox cannot listen: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def describe(sandbox: Sandbox) -> dict[str, object]:
    """All that a client needs to use it."""
    return {
        "base_urls": {vendor: sandbox.base_url(vendor) for vendor in VENDORS},
        "media_url": sandbox.media_url,
        "tokens": sandbox.tokens,
        "settings": sandbox.settings,
    }


if __name__ == "__main__":
    sys.exit(main())
