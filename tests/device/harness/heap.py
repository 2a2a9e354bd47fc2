"""`locked(f, *args)`: call f with the heap locked, so that any allocation raises MemoryError.

The lock is released before the exception travels on. Make arguments and warm caches before.
"""

import micropython


def locked(f, *args):
    """f(*args) without a byte of heap; returns what f returns (a small int or an existing object)."""
    micropython.heap_lock()
    try:
        r = f(*args)
    finally:
        micropython.heap_unlock()
    return r
