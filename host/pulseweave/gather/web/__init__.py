"""The live page: a small server and the page it serves; see README.md for the wire format."""
