"""The engine: the process that decodes and plays.

`engine` reads commands and never waits; a `track` is one recording: its bytes (`byte_reader`), and
the two locked-down processes (`decoder` here, `decoder_process` there) that decode it and measure
its peaks. Decoded sound goes through `filters` into the `pcm_queue`, which the output pulls from
(`outputs`). In the decoder's process `demuxer` opens the file, by the kind that its first bytes
say; `wav`, `mp3`, `adts`, `clocks`, `seek_index`, `stated_lengths` and `unfinished_files` know
which second a byte is where FFmpeg does not.

May import nothing of the program: it has no archive, no token and no screen.
"""
