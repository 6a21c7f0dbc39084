"""The screens: each wires widgets to the archive, the network and the player."""
