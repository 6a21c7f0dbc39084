"""Sound: recordings are decoded and played in a process of their own."""
