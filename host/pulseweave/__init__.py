"""Pulseweave's host side: simulate, score, flash, deploy, watch and gather rooms of biofeedback lights."""

__version__ = "0.1.0"
