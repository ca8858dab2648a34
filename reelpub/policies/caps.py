"""Caps on how often one account is posted to, beside the provider's own limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from attrs import define, field, frozen

from reelpub.errors import ConfigurationError

__all__ = ["AccountCap", "CapBook"]


@frozen(kw_only=True)
class AccountCap:
    """At most *count* posts in any *window* seconds, and at least *min_gap* seconds between two.

    Platforms count so themselves: TikTok, for one, takes 15 posts by API in 24 hours. What counts is the moment at
    which the request leaves, also of a post that the provider is to publish later, and posts that share a request leave
    together. Counted is what one orchestrator sent; a new one begins at zero.

    Raises:
        ConfigurationError: *count* is below 1, *window* isn't positive, or *min_gap* is negative.
    """

    count: int | None = None
    window: float = 86_400.0
    min_gap: float = 0.0

    def __attrs_post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ConfigurationError(f"count: {self.count!r} has to be at least 1, or None for no cap")
        if self.window <= 0 or self.min_gap < 0:
            raise ConfigurationError(
                f"window: {self.window!r} has to be positive, min_gap: {self.min_gap!r} not negative"
            )


@define
class CapBook:
    """Remembers when each account was posted to. Keys of *caps* are account ids or ``platform:username``.

    Times are a monotonic clock's seconds, passed in.
    """

    caps: Mapping[str, AccountCap]
    _used: dict[str, deque[float]] = field(factory=dict, init=False)

    def delay(self, accounts: Iterable[Iterable[str]], now: float) -> float:
        """Return how many seconds a post to *accounts* has to wait; each account is given by all its names."""
        return max((self._delay(name, now) for name in self._capped(accounts)), default=0.0)

    def use(self, accounts: Iterable[Iterable[str]], now: float) -> None:
        """Note that a post to *accounts* goes out now."""
        for name in self._capped(accounts):
            cap = self.caps[name]
            used = self._used.setdefault(name, deque())
            used.append(now)
            while used[0] + max(cap.min_gap, cap.window if cap.count is not None else 0.0) < now:
                used.popleft()

    def give_back(self, accounts: Iterable[Iterable[str]], used_at: float) -> None:
        """Note that the post to *accounts* for which `use` was called at *used_at* provably didn't go out."""
        for name in self._capped(accounts):
            used = self._used.get(name, ())
            if used_at in used:
                self._used[name].remove(used_at)

    def _capped(self, accounts: Iterable[Iterable[str]]) -> list[str]:
        return [name for names in accounts for name in names if name in self.caps]

    def _delay(self, name: str, now: float) -> float:
        cap, used = self.caps[name], self._used.get(name)
        if not used:
            return 0.0
        after_gap = used[-1] + cap.min_gap
        after_window = used[-cap.count] + cap.window if cap.count is not None and len(used) >= cap.count else now
        return max(0.0, after_gap - now, after_window - now)
