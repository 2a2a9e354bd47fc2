"""The light as people would see it: scenes played by the device's own code, rooms drawn, films written."""
