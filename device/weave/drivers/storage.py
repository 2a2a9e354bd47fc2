"""What survives a power cut: the board's filesystem, and non-volatile storage (ESP-IDF NVS) for integers and blobs."""

import os

import esp32


class Flash:
    """The board's files behind the method names of VfsLfs2, so that logic never touches a global path."""

    open = open
    rename = os.rename
    remove = os.remove


class Nvs:
    """Namespace `name`. `set(key, value)`, a signed 32-bit integer, and `set_blob(key, buf)` are kept only after commit."""

    def __init__(self, name):
        self._nvs = nvs = esp32.NVS(name)
        self.set = nvs.set_i32
        self.set_blob = nvs.set_blob

    def get(self, key):
        """Signed 32-bit integer under `key`, 0 where absent."""
        try:
            return self._nvs.get_i32(key)
        except OSError:
            return 0

    def get_blob(self, key, buf):
        """Read a blob into `buf`; returns its length, 0 where absent or longer than buf."""
        try:
            return self._nvs.get_blob(key, buf)
        except OSError:
            return 0

    def commit(self):
        """Write to flash (up to 80 ms); False where the flash refused."""
        try:
            self._nvs.commit()
            return True
        except OSError:
            return False
