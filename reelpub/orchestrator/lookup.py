"""Looking up what became of an attempt whose answer was lost."""

from __future__ import annotations

import logging

from attrs import frozen

from reelpub.errors import ReelPubError
from reelpub.orchestrator.claims import Claims
from reelpub.orchestrator.journal import Journal
from reelpub.orchestrator.strangers import heard
from reelpub.orchestrator.tracker import PartRef
from reelpub.policies.lifecycle import Looked, LookedAbsent, LookedUndecided, PartEvent, Rules, step
from reelpub.providers.base import Absent, Found, Publisher, SupportsFindDuplicate, Undecided

__all__ = ["Lookup"]

log = logging.getLogger("reelpub.orchestrator")

OTHERS_SINCE = 86_400.0
"""Seconds before an attempt from which the posts of others count, those of earlier runs too."""


@frozen(eq=False)
class Lookup:
    """Looks attempts up at one publisher; no post is taken for two parts."""

    _publisher: Publisher
    _journal: Journal
    _claims: Claims

    async def look(self, ref: PartRef) -> PartEvent:
        """Look whether the last attempt of a part took effect, and return what that showed."""
        state = ref.state
        if not isinstance(self._publisher, SupportsFindDuplicate) or state.attempt is None:
            return LookedUndecided(f"{self._publisher.provider} gives no way to look it up")
        since = state.attempt.started_at - OTHERS_SINCE
        try:
            others = await self._journal.posts_since(since)
            taken = self._claims.taken_beside(ref) | others
            finding: object = await heard(self._publisher.find(ref.prepared, state.attempt, taken=taken))
        except ReelPubError as error:
            return LookedUndecided(str(error), error)
        except Exception as error:
            log.exception("%s: looking up %s raised", self._publisher.name, state.part.id)
            return LookedUndecided(f"{type(error).__name__}: {error}", error)
        match finding:
            case Found(post) if self._claims.claim(post.id, ref, ref.prepared):
                return await self._claimed(ref, Looked(post), since)
            case Found(post):
                return LookedUndecided(f"post {post.id} may be another's")
            case Absent():
                return LookedAbsent()
            case Undecided(reason):
                return LookedUndecided(reason)
            case _:
                return LookedUndecided(
                    f"{self._publisher.provider} found {type(finding).__name__}, which means nothing"
                )

    async def _claimed(self, ref: PartRef, found: Looked, since: float) -> PartEvent:
        """Return *found* if no other process has taken the post for one of its own parts, and see that none does."""
        post_id = found.post.id
        if post_id in (ref.state.part.retries, ref.prepared.post_id):
            return found
        # As it will be; neither the time nor the rules matter for that.
        after, _ = step(ref.state, found, 0.0, Rules())
        other = await self._journal.claim_post(after, since)
        if other is None:
            return found
        self._claims.disown(post_id, ref)
        return LookedUndecided(f"post {post_id} is that of {other}")
