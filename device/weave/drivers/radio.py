"""ESP-NOW radio: broadcast frames of up to 250 bytes, on a fixed channel, never joined to an access point.

Out of recv(): length in bytes, the frame in `buf` (only the first n bytes count), the sender's `mac`, `rssi` in dBm,
`time` of reception in ms (taken in the Wi-Fi callback). `own` is this radio's address. `restart()` brings a
desynchronised or exhausted radio back. `fault`: 0, or 1 while the radio does not work.
"""

import espnow
import network

_BROADCAST = b"\xff\xff\xff\xff\xff\xff"
_MAX = const(250)


class Radio:
    """The radio on `channel` at `tx_dbm`, with a receive ring of `rxbuf` bytes."""

    def __init__(self, channel, tx_dbm, rxbuf):
        self.channel = channel  # a change takes effect at restart()
        self._tx_dbm = tx_dbm
        self._rxbuf = rxbuf
        self.buf = bytearray(_MAX)
        # a view: a bytearray would be cut to the length of each frame
        self._data = [None, memoryview(self.buf), 0, 0]
        self.fault = 1
        self.own = self.mac = b"\0\0\0\0\0\0"
        self.rssi = self.time = 0
        self._now = None
        self.restart()

    def restart(self):
        """Switch everything off and on again; returns True where the radio works."""
        try:
            wlan = network.WLAN(network.WLAN.IF_STA)
            wlan.active(False)  # a soft reset leaves the old state behind
            wlan.active(True)
            wlan.disconnect()
            wlan.config(channel=self.channel, pm=wlan.PM_NONE, txpower=self._tx_dbm)
            self.own = wlan.config("mac")
            now = espnow.ESPNow()
            now.active(False)
            now.config(rxbuf=self._rxbuf)  # takes effect at the next active(True)
            now.active(True)
            try:
                now.add_peer(_BROADCAST)
            except OSError:
                pass  # it survived the restart
            self._now = now
            self.fault = 0
        except OSError:
            self.fault = 1
        return not self.fault

    def recv(self) -> int:
        """Bytes of the next waiting frame, 0 = none. Raises ValueError when the ring lost its step."""
        if self.fault:
            return 0
        d = self._data
        n: int = self._now.recvinto(d, 0)
        if not n:
            return 0
        self.mac = d[0]
        self.rssi = d[2]
        self.time = d[3]
        return n

    def send(self, view):
        """Broadcast a memoryview; False where the driver refused. Does not wait for the air."""
        if self.fault:
            return False
        try:
            self._now.send(_BROADCAST, view, False)
            return True
        except OSError:
            return False
