"""The opt-out button: a switch to ground on a GPIO with pull-up."""

from machine import Pin


class Button:
    """On GPIO `pin`; reading is instantaneous, debouncing is the reader's business."""

    def __init__(self, pin):
        self._read = Pin(pin, Pin.IN, Pin.PULL_UP).value

    def pressed(self):
        """True while held down."""
        return not self._read()
