"""What is played, and where it was left.

`controller` is one `PlaybackController` a screen: it picks which recording is played, hands its
bytes to the player, does what keys ask for and says what to show (`views`). `history` remembers
how far each recording was heard; `settings` speed, volume and switches; `output_choice` decides
where sound comes out. No HTTP: bytes come from `tui.recordings`.
"""
