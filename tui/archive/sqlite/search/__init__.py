"""The search index: any query of names, lengths and marks answered without reading all calls.

A `Query` goes through `planner`, which picks the cheapest way: full-text tokens for rare words,
bitmaps (`bitmap`, `bitmap_tests`, `bitmap_scan`: one bit a call, in chunks by time) for what many
calls have, the order of time alone for the rest. What is found is a superset; `conditions`, which
is what each term means in SQL, decides on every row. `search_index` writes what the plans read,
`backfill` does it for calls of older archives, `facet_counts` and `name_lookup` read it,
`sort_orders` and `time_ranges` are its orders.

Why it exists, by 300,000 calls and 61 kinds of query (CPU ms, p95): with bitmaps 2.8 for a page and
13 for a count; full-text tokens alone 21 and 76; plain SQL 231 and 434. It costs a third of a
save's CPU and 6 % of the file. Roaring bitmaps (pyroaring) in the same rows took 14 for
a page where these took 3.7, and 3.3 for the median kind's count where these took 1.4, since each
chunk is an object of its own; file and save cost the same, and hardly a line of code went.

A change of a call writes the terms, bits and numbers that differ, and no more (`postings`).

Sealed: outside `tui.archive.sqlite` nobody imports it, but for `facet_counts` and `sort_orders`.
"""
