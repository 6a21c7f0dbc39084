"""Sound: recordings are decoded and played in a process of their own.

The screen may hold the interpreter for long, a sound library may print pages or crash, and a
recording is a stranger's file for FFmpeg's C code. None of it may cost the session::

    the program                                      the engine, `python -m tui.audio OUTPUT`
    ───────────                                      ─────────────────────────────────────────
    Player (player.py)  ──open, seek, pause, …──>    Engine (engine.py)
      │        ▲        <──at, ready, failed, …──       │
      │        │                                        │ a Track for each recording
      │      Child (child.py): starts, ends, stdio      ▼
      ▼                                              Media (media.py)  FFmpeg; 48 kHz: filters.py
    Source (source.py)  <──get──                        │     ▲
      a file, a download ──data──>  Pull (pull.py) ─────┼─────┘ sniff.py: kind by its bytes
                                                        ▼
           Peaks (peaks.py)  <──peaks──  measure.py,    │ shape.py: no silence, a loop's end
           turns.py: who speaks          beside it      ▼
                                                     Feed (feed.py)    1 s ahead; the position
                                                        │ pull
                                                        ▼
                                                     Sink (sinks.py)   device, WAV file, silence,
                                                                       simpleaudio_sink.py

Which second a byte is, is told by clocks.py: by a container's own table, by blocks of which one
was decoded (wav.py says where they are), or by counting frames (adts.py those of AAC). What
measuring has counted is in Places (places.py), for whoever plays; before, a place in an MP3 is
found by reading up to it, or, where that is dear, computed (mp3.py) and given up if other frames
stand there. Sizes that nobody came back to write are in unclosed.py.

The messages are in `tui.audio.wire` and numbered there by `wire.VERSION`. The engine has no
secret in its environment, asks for every byte it decodes, opens no other file, and ends when
its standard input does. `av`, `miniaudio` and `simpleaudio` are imported in it alone.

`tui.audio.route` decides where sound comes out: over SSH not on the server, but through
`tui.audio.speaker` where the listener sits.
`tui.audio.cli` is ``ringback play``. Nothing here knows Textual.
"""
