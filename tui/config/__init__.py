"""What the user set, and where Ringback keeps its files.

`paths` is the folders and files (0700, 0600) and how one is written whole; `settings` reads
`config.toml` into typed values with defaults, names what is wrong by key, and edits it without
losing a comment; `accounts` are the logins in it, without tokens; `token_origins` is where each
account's token may go; `views` are the saved queries.

May import `tui.query` (a setting may be a date); knows no archive, no network, no screen.
"""
