"""The host simulator: rooms of the real firmware in a real MicroPython. See README.md of this folder."""
