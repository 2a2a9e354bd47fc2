"""`locked(f, a, b)`: call f with the heap locked, so that any allocation raises MemoryError.

The lock is released before the exception travels on. Make arguments and warm caches before. At most
three arguments, spelt out: `f(*args)` itself allocates.
"""

import micropython

NONE = object()


def locked(f, a=NONE, b=NONE, c=NONE):
    """f(a, b, c) without a byte of heap; returns what f returns (a small int or an existing object)."""
    micropython.heap_lock()
    try:
        if a is NONE:
            r = f()
        elif b is NONE:
            r = f(a)
        elif c is NONE:
            r = f(a, b)
        else:
            r = f(a, b, c)
    finally:
        micropython.heap_unlock()
    return r
