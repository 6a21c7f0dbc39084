"""The archive: the local store of calls that screens, syncs and commands read and write.

`interface` is what they ask of it, in protocols that any archive may keep: reading, writing, the
state of syncs, how long calls stay, decisions, listening, upkeep. `records` are the plain values
that go in and out, `errors` all that it raises; `triage_events` is what a decision is and what many
come to, without a database; `codec` is a call as JSON, the same on disk and on the command line;
`merging` says what stays of a call that comes again; `tag_edits` reads tags as people type them.

`tui.archive.sqlite` is the archive itself, and the only place of SQL: `Services.open_archive` opens
it, `doctor` checks and mends it, and nobody else knows it. What any other archive has to pass is
`tests/contract`.

A page of calls comes from `tui.sync`, is merged with what is here, and goes into one transaction;
a screen asks for keys in an order, then for the rows of a window of them. May import `tui.query`
and `tui.config`; knows no vendor, no screen and no network.
"""
