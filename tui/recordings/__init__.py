"""The bytes of recordings: fetched once, kept, copied. No sound.

`fetcher` serves the screen: one download for however many play and save. `stream` opens one
recording, from the `cache` or from its host, and follows an address that expired; `lookup` asks
the vendor for a call and its list of recordings; `progressive_download` is a file that can be
read while it fills (any part, at any time: `byte_ranges` says what is here); `download` copies
what came to where the user wants it.

Bytes come from `providers.media`, go into a partial file, and when all are here under the name of
their recording. May import `tui.archive`, `tui.secrets`, `tui.config`, and of `tui.audio` the
source alone.
"""
