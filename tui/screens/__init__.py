"""The screens. The main one puts widgets together; what it does is done by controllers.

`main.py` is one Screen: it composes the widgets, holds what they show as `var`s that are bound to
them, and hands their messages on. A key goes by `keymap.py` to a command (`tui.commands`), by
`actions.py` to whoever does it. Which panes stand beside each other decides `panes.py`, which keys
must wait for rows `key_holder.py`.

A controller has a state of its own and knows no widget and no other controller. What all share is
the `ScreenContext` (`context.py`): services, accounts, what is shown now, the cursor, words for
the status line, workers. What it needs of others it is given as a function or a small protocol by
`controllers.py`, which puts them together::

    call_list_controller    the query, views, the order, the way back
      row_reader            which rows are held (row_window), read in other threads (archive_reads)
      row_counts            how many there are in all, and with which names
      query_problems        what is wrong with the query
      reading_notice        what is said of a reading that takes a moment
    triage_controller       decisions, undo, the next call to decide; triage_queue writes them
    player_controller       what plays (tui.playback), the player's keys, where sound comes out
    sync_controller         syncs, further pages, single calls anew; syncs runs them
    export_controller       copies, exports, the vendor's page
    related_trail           calls that belong together, and the way back
    mask_controller         numbers and names hidden, one call shown
    upkeep, dialogs         what is tidied beside the screen; what is shown above it

What goes on by itself is one value, `MainScreen.activity` (`activity.py`). `snapshot.py` is what is
read of the archive at one moment; `notices.py`, `sidebar_items.py` and `call_details.py` put it
into words.
"""
