"""A tick taken apart: timed under MicroPython, counted under CPython, priced for the ESP32."""
