"""What can go wrong with the local tools: one line, with a way out. Raised throughout ``local``, shown by the CLI."""


class LocalError(Exception):
    """The local tools cannot go on; ``advice`` is what the person at the keyboard can do."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what} ({advice})")
        self.what = what
        self.advice = advice


class StuckError(LocalError):
    """The embedded cloud did not come to rest in time."""
