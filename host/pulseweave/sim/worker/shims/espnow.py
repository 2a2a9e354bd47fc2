"""`espnow` for virtual boards: the API of MicroPython's module with its quirks, the air is on the host."""

from virtual import bus

_MAX = 250


class ESPNow:
    def __init__(self):
        self._board = bus.board
        self._peers = {}

    def active(self, on=None):
        board = self._board
        if on is None:
            return board.radio_up
        if on and board.radio_dead:
            raise OSError(-12389, "ESP_ERR_ESPNOW_INTERNAL")
        if not on:
            board.clear_radio()
        board.radio_up = bool(on)
        return board.radio_up

    def config(self, param=None, rxbuf=None, timeout_ms=None, rate=None):
        if rxbuf is not None:
            self._board.rx_limit = rxbuf
        if param == "rxbuf":
            return self._board.rx_limit

    def add_peer(self, mac, lmk=None, channel=0, ifidx=0, encrypt=False):
        if mac in self._peers:
            raise OSError(-12395, "ESP_ERR_ESPNOW_EXIST")
        self._peers[mac] = 1

    def recvinto(self, data, timeout_ms=None):
        board = self._board
        if board.radio_desync:
            raise ValueError("ESPNow.recv(): buffer error")
        if not board.rx_count:
            return 0
        buf = data[1]
        if not isinstance(buf, bytearray):
            return board.take(data)
        buf.extend(bytes(_MAX - len(buf)))
        n = board.take(data)
        data[1][n:] = b""  # as modespnow.c does: the caller's bytearray now is as long as the frame
        return n

    def any(self):
        return self._board.rx_count > 0

    def send(self, mac, msg=None, sync=True):
        board = self._board
        if not board.radio_up:
            raise OSError(-12389, "ESP_ERR_ESPNOW_NOT_INIT")
        if len(msg) > 250:
            raise ValueError("ESPNow: bytes arg too long")
        if board.no_mem:
            board.no_mem -= 1
            raise OSError(-12391, "ESP_ERR_ESPNOW_NO_MEM")
        if not board.give(msg):
            raise OSError(-12391, "ESP_ERR_ESPNOW_NO_MEM")
        return True

    def stats(self):
        board = self._board
        return (0, 0, 0, board.rx_total, board.rx_dropped)
