"""Which queue is served next: writes first, with a share that reads are owed."""

from __future__ import annotations

from attrs import define

__all__ = ["LaneShare"]


@define
class LaneShare:
    """Serves writes before reads, but owes reads *share* of the grants (0 to 1) whenever writes wait, too.

    What is owed is kept for a burst of reads, up to the reads' part of one window of *limit* requests.
    """

    share: float
    limit: int
    _owed: float = 0.0

    @property
    def kept(self) -> int:
        """How many slots of a window writes leave to reads while reads are expected."""
        return int(self.share * self.limit + 1e-9)

    def prefers_read(self, *, has_write: bool, has_read: bool) -> bool:
        """Return whether the next grant is a read's."""
        return has_read and (not has_write or self._owed >= 1.0 - 1e-9)

    def granted(self, *, is_read: bool) -> None:
        """Note a grant."""
        if is_read:
            self._owed = max(0.0, self._owed - 1.0)
        else:
            self._owed = min(max(1.0, self.share * self.limit), self._owed + self.share / max(1e-9, 1.0 - self.share))

    def ahead_of_read(self, writes: int, reads: int) -> int:
        """Return how many grants come before a new read's, with that many of each kind waiting."""
        if self.share <= 0:
            return writes + reads
        return min(writes + reads, int(max(0.0, reads + 1 - self._owed) / self.share))
