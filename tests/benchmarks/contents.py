"""Contents of files that compress as those of real packages do: to a third or a quarter of their size."""

import random

_CHARACTERS = 32_000_000


class Contents:
    """Gives pieces of a long text, each from another place."""

    def __init__(self, seed: int = 5) -> None:
        self._chance = random.Random(seed)
        words = [f"{self._chance.getrandbits(40):x}" for _ in range(20_000)]
        self._text = " ".join(self._chance.choices(words, k=_CHARACTERS // 10)).encode()

    def piece(self, size: int) -> bytes:
        """Return so many bytes."""
        begin = self._chance.randrange(len(self._text) - size)
        return self._text[begin : begin + size]
