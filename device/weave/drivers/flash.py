"""The board's own filesystem behind the method names of VfsLfs2, so that logic never touches a global path."""

import os


class Flash:
    """Files below `root` ("" is the whole filesystem)."""

    def __init__(self, root=""):
        self._root = root

    def open(self, path, mode):
        return open(self._root + path, mode)

    def rename(self, old, new):
        os.rename(self._root + old, self._root + new)

    def remove(self, path):
        os.remove(self._root + path)

    def ilistdir(self, path):
        return os.ilistdir(self._root + path)

    def stat(self, path):
        return os.stat(self._root + path)

    def mkdir(self, path):
        os.mkdir(self._root + path)
