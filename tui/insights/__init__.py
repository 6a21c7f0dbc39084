"""What happened at the desk, in figures. Pure: numbers in, numbers out.

The archive gives `CallFacts` of the calls that match a query (`CallReader.facts`), `figures` counts
them, `printed` gives what ``ringback stats --json`` prints; the command line and the screen show
the same figures. May import `tui.archive.records` and `tui.query`.

Every figure is a number of calls that a query finds, or is worked out of what such calls tell::

    answered missed abandoned voicemail     outcome:answered ...
    lost          who called and did not get through:
                  -out -internal outcome:missed,abandoned,voicemail
    called_back   called-back: of those, answered later by a call with the same number, anywhere
    decided       open-miss state:done: of the others, those that somebody decided to be done
    waiting       open-miss -state:done: the rest

so that called_back + decided + waiting is lost. What a vendor does not tell is counted nowhere: a
share or an average is of the calls that tell (`of`), and `untold` names the accounts of which none
does. Hours and days are those of the user's zone; a day has 23 or 25 hours where clocks change.
Percentiles are by the nearest rank: the smallest value that so many per cent do not exceed.
"""
