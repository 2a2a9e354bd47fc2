"""What survives a power cut: the board's filesystem, and non-volatile storage (ESP-IDF NVS) for integers and blobs."""

import os

import esp32


class Flash:
    """The board's files behind the method names of VfsLfs2, so that logic never touches a global path."""

    open = open
    rename = os.rename
    remove = os.remove
    getcwd = os.getcwd


class Nvs:
    """Namespace `name`. Values count only after commit."""

    def __init__(self, name):
        self._nvs = esp32.NVS(name)
        self._refused = False

    def set(self, key, value):
        """A signed 32-bit integer. Without room ESP-IDF refuses it here: commit() says so."""
        try:
            self._nvs.set_i32(key, value)
        except OSError:
            self._refused = True

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
        refused = self._refused
        self._refused = False
        try:
            self._nvs.commit()
            return not refused
        except OSError:
            return False
