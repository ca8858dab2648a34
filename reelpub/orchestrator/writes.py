"""Tells the limiter how many writes are still to come, so that it knows whether reads delay them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from attrs import define, field

from reelpub.orchestrator.tracker import PartRef
from reelpub.policies.lifecycle import Stage
from reelpub.providers.base import Publisher, SupportsForecast
from reelpub.transport.limiter import ExpectedWrites

__all__ = ["WritesAhead"]

log = logging.getLogger("reelpub.orchestrator")


@define(eq=False)
class WritesAhead:
    """What one publisher's desk has still to send. `on_none` is called when nothing of it is left.

    `posts` is how many posts that will be.
    """

    _publisher: Publisher
    _on_none: Callable[[], None]
    posts: int = field(default=0, init=False)
    _expected: ExpectedWrites | None = field(default=None, init=False)

    def add(self, refs: Sequence[PartRef]) -> Callable[[], None]:
        """Count one more batch, which goes live with one request; call the result once it is sent or won't be."""
        posts = len(refs)
        if self._expected is None:
            self._expected = self._publisher.limiter.expect_writes()
        self._expected.add(max(1, sum(self._writes(ref) for ref in refs)))
        self.posts += posts
        is_open = True

        def done() -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                self._done(posts)

        return done

    def _done(self, posts: int) -> None:
        self.posts -= posts
        if not self.posts:
            if self._expected is not None:
                # What went another way than was foreseen is forgotten here.
                self._expected.clear()
            self._on_none()

    def _writes(self, ref: PartRef) -> int:
        part = ref.state.part
        if ref.state.stage is Stage.READY or not isinstance(self._publisher, SupportsForecast):
            return 1
        try:
            return self._publisher.requests_for(part.request, [part.accounts], at=part.at).writes
        except Exception:  # a publisher with a bug must not stop the others
            log.exception("%s: foreseeing the requests of %s raised", self._publisher.name, part.id)
            return 1
