"""Hardware, opened from a board description: the only folder that imports machine, espnow, neopixel, network, esp32.

In: the dictionary compiled from boards/*.toml and the console's two streams. Out: a `Hardware` whose
members have the interfaces tabled in weave/README.md.
"""


class Hardware:
    """What a node is built from: pulse, skin, strand, radio, port, nvs, wdt, button (None where absent)."""

    def __init__(self, board, stdin, stdout):
        from weave.drivers.grove_gsr import GroveGsr
        from weave.drivers.nvs import Nvs
        from weave.drivers.port import Port
        from weave.drivers.radio import Radio
        from weave.drivers.strand import Strand

        s = board["strand"]
        # The strand first: black before anything else draws current or takes time.
        self.strand = Strand(s["pin"], s["pixels"], s["order"], s.get("timing", 1))
        self.board = board
        self.nvs = Nvs("weave")
        d = board["pulse"]
        if d["kind"] == "max30102":
            from weave.drivers.max30102 import Max30102

            self.pulse = Max30102(d["i2c"], d["sda"], d["scl"], d.get("led_ma", 7), d["contact_min"])
        else:
            from weave.drivers.adc_pulse import AdcPulse

            self.pulse = AdcPulse(d["pin"], d["contact_min"], d["contact_max"])
        self.skin = GroveGsr(board["skin"]["pin"])
        r = board["radio"]
        self.radio = Radio(r["channel"], r.get("tx_dbm", 11), r.get("rxbuf", 2048))
        self.port = Port(stdin, stdout)
        self.button = None  # the opt-out button, where there is one
        d = board.get("button")
        if d:
            from weave.drivers.button import Button

            self.button = Button(d["pin"])

    def fit(self, config):
        """What this node's own configuration says differently from its board: shorter strand, other channel."""
        if 0 < config.pixels < self.strand.n:
            self.strand.n = config.pixels
        if config.channel and config.channel != self.board["radio"]["channel"]:
            self.radio.tune(config.channel)
