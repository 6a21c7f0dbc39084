"""`ringback speaker`: sound at the listener's side of SSH.

`listener_side` runs where the listener sits: an engine for each screen, joined by ssh to
`server_side`, the relay beside the screens; `relay_protocol` is what the two say to each other
over the messages of `tui.audio.protocol`. A screen finds the relay by `tui.audio.speaker_sockets`.
"""
