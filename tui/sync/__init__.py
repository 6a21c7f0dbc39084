"""Everything that asks the vendors for calls.

`sync` walks one account's pages into the archive: resumable, cancellable, a transaction a page;
`jobs` are what command line and screen both start (all accounts, imports, checks); `refresh` asks
for single calls anew; `recheck` says what of a call may still come and when to ask again; `report`
is how a sync ended, `account_states` the same in words.

Runs in the vendor thread of a screen, or in a command's own loop. Knows no screen.
"""
