"""`python -m pulseweave`: the command without its script."""

from pulseweave.cli import main

main()
