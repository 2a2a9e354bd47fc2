"""Fixtures of the bench's tests; what they are made of is in benchtools.py."""

from benchtools import desk, image, own_bench, power  # noqa: F401
from settled import net  # noqa: F401
