"""Non-volatile storage: 32-bit integers and blobs that survive power cuts (ESP-IDF NVS), one namespace."""

import esp32


class Nvs:
    """Namespace `name`; an absent key reads as 0 or as an empty blob."""

    def __init__(self, name):
        self._nvs = esp32.NVS(name)

    def get(self, key):
        """Signed 32-bit integer under `key`, 0 where absent."""
        try:
            return self._nvs.get_i32(key)
        except OSError:
            return 0

    def set(self, key, value):
        """Store a signed 32-bit integer (kept only after commit)."""
        self._nvs.set_i32(key, value)

    def get_blob(self, key, buf):
        """Read a blob into `buf`; returns its length, 0 where absent or longer than buf."""
        try:
            return self._nvs.get_blob(key, buf)
        except OSError:
            return 0

    def set_blob(self, key, buf):
        """Store a blob (kept only after commit)."""
        self._nvs.set_blob(key, buf)

    def commit(self):
        """Write to flash (up to 80 ms); False where the flash refused."""
        try:
            self._nvs.commit()
            return True
        except OSError:
            return False
