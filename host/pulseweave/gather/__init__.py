"""Gathering: see, keep and share what a room lived through, real or simulated."""
