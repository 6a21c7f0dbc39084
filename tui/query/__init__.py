"""A query: one line of text, and what it asks of calls.

`parser` reads a line into an immutable `Query` of terms, and writes it back; `fields` is the one
table of what a line can name, which parser, archive, completion and help all read; `editing` is
for lines that go on (completion, a term added or taken away). `dates` and `phone_numbers` read
what people type and vendors send; `suggestions` finds what somebody may have meant.

What terms mean for an archive is not here: see `tui.archive.sqlite.search`. May import nothing of
`tui` but itself.
"""
