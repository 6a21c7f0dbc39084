"""Vendors' webhooks, received: ``ringback receive``.

What comes in is kept before it is answered: `endpoint` (ASGI) checks who sends it and how large it
is, and puts it into the `inbox`, a folder of files that survive a kill and a power cut. `keeper`
takes them out again, oldest first, and brings the calls into the archive: bodies that hold a call
as saved files do, and other events by asking the vendor for what is new. A body that comes twice,
late or in any order does no harm, since the archive merges what it has and what comes.

May import `tui.sync` and what is below it; only `endpoint` knows the web.
"""
