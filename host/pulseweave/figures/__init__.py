"""Every performance figure the README quotes, measured beside its peer or its limit in the same run: `make bench`."""
