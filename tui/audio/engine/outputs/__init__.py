"""Where sound comes out of an engine: a device, a file, or nowhere at the same pace.

An output pulls from a `PcmQueue` in a thread of its own and stops when it is closed. `base` has
what all of them share and those without a device, `devices` the system's own one, and
`simpleaudio_output` another library for it.
"""
