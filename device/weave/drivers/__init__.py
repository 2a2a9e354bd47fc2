"""Hardware, opened from a board description: the only folder that imports machine, espnow, neopixel, network, esp32.

In: the dictionary compiled from boards/*.toml and the console's two streams. Out: a `Hardware` whose
members have the interfaces tabled in weave/README.md.
"""

from .pins import AdcPulse, Button, GroveGsr
from .port import Port
from .radio import Radio
from .storage import Nvs
from .strand import Strand


class Hardware:
    """What a node is built from: pulse, skin, strand, radio, port, nvs, button (None where absent)."""

    def __init__(self, board, stdin, stdout):
        d = board["strand"]
        # The strand first, black again (main.py did it before the boot was counted): the radio draws its current later.
        self.strand = Strand(d["pin"], d["pixels"], d["order"], d.get("timing", 1))
        self.board = board
        self.nvs = Nvs("weave")
        d = board["pulse"]
        if d["kind"] == "max30102":
            from weave.drivers.max30102 import Max30102

            self.pulse = Max30102(d["i2c"], d["sda"], d["scl"], d.get("led_ma", 7))
        else:
            self.pulse = AdcPulse(d["pin"])
            self.pulse.contact_max = d["contact_max"]
        self.pulse.contact_min = d["contact_min"]
        self.skin = GroveGsr(board["skin"]["pin"])
        d = board["radio"]
        self.radio = Radio(d["channel"], d.get("tx_dbm", 11), d.get("rxbuf", 2048))
        self.port = Port(stdin, stdout)
        d = board.get("button")
        self.button = Button(d["pin"]) if d else None

    def fit(self, config):
        """What this node's own configuration says differently from its board: shorter strand, other channel."""
        if 0 < config.pixels < self.strand.n:
            self.strand.n = config.pixels
        if config.channel and config.channel != self.radio.channel:
            self.radio.channel = config.channel
            self.radio.restart()
