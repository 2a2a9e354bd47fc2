"""Bad input, said once: an error that reaches the user as one clear line and exit code 2."""


class Problem(Exception):
    """What is wrong, where, and what to do about it, in one line; the command exits with `code`."""

    def __init__(self, text: str, code: int = 2):
        super().__init__(text)
        self.code = code
