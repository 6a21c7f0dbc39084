"""What is played, and where it was left.

`recording` picks which recording is played and hands its stream to the player; `listening` holds
the player, its keys' deeds and what is shown of it; `history` remembers how far each recording was
heard; `output_choice` decides where sound comes out. No HTTP: bytes come from `tui.recordings`.
"""
