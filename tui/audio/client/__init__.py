"""The program's end of the sound: what to play, where it is, and what became of it.

`player` is all that a screen or command talks to; it sends messages of `tui.audio.protocol` over
a `connection` to an engine, which is a child of its own (`engine_process`) or the speaker at the
listener's side, as `route` decides and `connector` opens. `byte_server` answers the engine that
asks for the bytes of a `source`; `state` is all that can be seen of a player at one moment;
`turns` says who speaks when.

May not import the engine: that runs in another process, and its libraries stay there.
"""
