"""Skip: raised by a device test that cannot run on this port; its text says why."""


class Skip(Exception):
    pass
