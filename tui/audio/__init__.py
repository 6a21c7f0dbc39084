"""Sound: recordings are played in a process of their own, and decoded in two more.

The screen may hold the interpreter for long, a sound library may print pages or crash, and a
recording is a stranger's file for FFmpeg's C code. None of it may cost the session::

    the program (client/)                            the engine (engine/), its own process
    ─────────────────────                            ──────────────────────────────────────────────
    Player (player.py)  ──open, seek, pause, …──>    Engine (engine.py)
      │        ▲        <──at, ready, failed, …──       │
      │        │                                        │ a Track (track.py) for each recording
      │      engine_process.py: starts, ends, stdio     ▼
      ▼                                              Decoder (decoder.py) <══> locked down, below
    Source (source.py)  <──get──                        │
      a file, a download ──data──>  byte_reader.py ─────┤ filters.py: no silence, a loop's end
                                                        ▼
           Peaks (peaks.py)  <──peaks──                 pcm_queue.py      1 s ahead; the position
           turns.py: who speaks                         │ pull
                                                        ▼
                                                     outputs/          device, WAV file, silence,
                                                                       simpleaudio

    `… decoder_process play`                         `… decoder_process measure`
    ────────────────────────                         ───────────────────────────
    Media (demuxer.py)  FFmpeg; 48 kHz:              Media ──> peak_meter.py
      ffmpeg_filters.py
      demuxer_choice.py: kind by its bytes

Which second a byte is, is told by clocks.py: by a container's own table, by blocks of which one
was decoded (wav.py says where they are), or by counting frames (adts.py those of AAC). What
measuring has counted is in seek_index.py, for whoever plays; before, a place in an MP3 is found by
reading up to it, or, where that is dear, computed (mp3.py) and given up if other frames stand
there. Sizes that nobody came back to write are in unfinished_files.py.

The messages are in `tui.audio.protocol` and numbered there by `VERSION`; those to whoever decodes
are in `tui.audio.engine.decoder_process`. The engine has no secret in its environment and ends
when its standard input does; it owns the device and looks into no recording. Whoever decodes has
lost all but two pipes when the first byte comes (`tui.audio.engine.lockdown`: no files, no
network, no processes, little memory, little time): a crash there costs a recording, or its
waveform alone. `av` is imported there, `miniaudio` and `simpleaudio` in the engine, each nowhere
else.

`tui.audio.client.route` decides where sound comes out: over SSH not on the server, but through
`tui.audio.speaker` where the listener sits. `tui.cli.terminal_player` is ``ringback play``.
Nothing here knows Textual, a vendor or the archive.
"""
