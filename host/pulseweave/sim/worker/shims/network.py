"""`network` for virtual boards: the station interface that ESP-NOW needs, nothing else."""

from virtual import bus

STA_IF = 0
AP_IF = 1


class WLAN:
    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface=0):
        self._board = bus.board
        self._settings = {"channel": 1, "pm": 1, "txpower": 20}
        self._active = False

    def active(self, on=None):
        if on is None:
            return self._active
        if on and self._board.radio_dead:
            raise OSError("Wifi Internal Error")
        self._active = bool(on)
        if not on:
            self._board.radio_up = False
            self._board.clear_radio()

    def disconnect(self):
        pass

    def isconnected(self):
        return False

    def config(self, param=None, **settings):
        if param == "mac":
            return self._board.mac
        if param is not None:
            return self._settings[param]
        self._settings.update(settings)
