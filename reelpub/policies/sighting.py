"""What one answer shows of a limit: how much is used, and how much of that can be ours."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Sighting"]


@frozen(kw_only=True)
class Sighting:
    """What one answer shows: *used* of *limit* requests over the last *elapsed* seconds of the server's window.

    *own_most* is the most of them that can be ours and *own_slots* the number of slots that we hold now. *own_counted*
    is the number of ours in those seconds, *own_sure* how many of these were answered before the request of this answer
    was sent, and *own_before* the number of ours in the window before. *doubt* is by how much more than *own_most* has
    to be used before it is others' use. *is_refusal* says that the answer was a 429.
    """

    limit: int
    used: int
    elapsed: float
    own_most: int
    own_counted: int
    own_slots: int
    own_before: int = 0
    own_sure: int = 0
    doubt: int = 1
    is_refusal: bool = False
