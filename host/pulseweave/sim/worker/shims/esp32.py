"""`esp32` for virtual boards: NVS namespaces that live as long as the board's flash."""

from virtual import bus


class NVS:
    def __init__(self, namespace):
        self._board = bus.board
        self._flash = self._board.nvs.setdefault(namespace, {})
        self._new = {}

    def _get(self, key, kind):
        v = self._new.get(key)
        if v is None:
            v = self._flash.get(key)
        if v is None or not isinstance(v, kind):
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return v

    def _room(self, key):
        """ESP-IDF writes at once and keeps at commit: a full partition refuses already the first (esp32_nvs.c)."""
        if len(key) > 15:
            raise OSError(-4361, "ESP_ERR_NVS_KEY_TOO_LONG")
        if self._board.nvs_fail:
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")

    def set_i32(self, key, value):
        self._room(key)
        self._new[key] = value

    def get_i32(self, key):
        return self._get(key, int)

    def set_blob(self, key, value):
        self._room(key)
        self._new[key] = bytes(value)

    def get_blob(self, key, buf):
        v = self._get(key, bytes)
        if len(v) > len(buf):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buf[: len(v)] = v
        return len(v)

    def erase_key(self, key):
        self._new.pop(key, None)
        if self._flash.pop(key, None) is None:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")

    def commit(self):
        if self._board.nvs_fail:
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
        self._flash.update(self._new)
        self._new.clear()


def idf_heap_info(capabilities):
    return [(40000, 30000, 20000, 20000)]
