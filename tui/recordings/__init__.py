"""The bytes of recordings: fetched once, kept, copied. No sound.

`fetcher` serves the screen: one download for however many play and save; `download` asks the
vendor, follows an address that expired, and keeps what came in the cache; `progressive_download`
is a file that can be read while it fills (any part, at any time: `byte_ranges` says what is here).

Bytes come from `providers.media`, go into a partial file, and when all are here under the name of
their recording. May import `tui.archive`, `tui.secrets`, `tui.config`, and of `tui.audio` the
source alone.
"""
