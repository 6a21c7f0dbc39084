"""The vendors: HTTP in, `Call` out. No screen, no disk, no keyring."""
