"""AES-128 for the wasm port, which has no `cryptolib`: the same class, computed by Node.js in the port's own memory.

aes(key, mode[, iv]) with mode 1 (ECB) or 2 (CBC; the chaining value survives between calls, as in the C module);
encrypt(data, out) and decrypt(data, out) for buffers of a multiple of 16 bytes, in place allowed. FIPS 197.
An object encrypts or decrypts, never both. The other half is wasm.mjs.
"""

from array import array

import js
from micropython import heap_lock, heap_unlock
from uctypes import addressof

_make, _turn = js.aesMake, js.aesTurn


class aes:
    """One key in one direction."""

    def __init__(self, key, mode, iv=None):
        if mode not in (1, 2):
            raise ValueError("mode")
        if len(key) != 16 or (mode == 2 and (iv is None or len(iv) != 16)):
            raise ValueError("key")
        self._way = 0
        self._weight = bytearray(176)  # the C module's expanded key, which is on the board's heap
        self._call = array(
            "i", [addressof(bytearray(key)), addressof(bytearray(iv)) if mode == 2 else 0, 0, 0]
        )
        self._node = _make(addressof(self._call))

    def encrypt(self, data, out):
        """data encrypted into out."""
        self._do(1, data, out)

    def decrypt(self, data, out):
        """data decrypted into out."""
        self._do(-1, data, out)

    def _do(self, way, data, out):
        if self._way == -way:
            raise ValueError("can't encrypt & decrypt")
        self._way = way
        n = len(data)
        if n & 15 or len(out) < n:
            raise ValueError("blksize % 16")
        call = self._call
        call[0] = addressof(data)
        call[1] = addressof(out)
        call[2] = n
        call[3] = way
        # JavaScript is called with the heap open; the C module, for which this stands, needs none.
        heap_lock()
        depth = heap_unlock()
        for _ in range(depth):
            heap_unlock()
        _turn(self._node)
        for _ in range(depth):
            heap_lock()
