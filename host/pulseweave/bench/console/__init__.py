"""The console: one node, live, on a terminal."""
