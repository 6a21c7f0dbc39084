"""What removes calls for good.

`purge` takes calls out of archive, cache and logs, and leaves their traces in no file; `retention`
does it for calls older than config.toml keeps them; `deleted_at_vendor` for calls that their
vendor has no more. What is on hold stays, and is told.
"""
