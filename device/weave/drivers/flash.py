"""The board's own filesystem behind the method names of VfsLfs2, so that logic never touches a global path."""

import os


class Flash:
    """All files of the board."""

    def __init__(self):
        self.open = open
        self.rename = os.rename
        self.remove = os.remove
        self.ilistdir = os.ilistdir
        self.stat = os.stat
        self.mkdir = os.mkdir
