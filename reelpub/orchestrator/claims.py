"""Which post at a provider belongs to which part, so that no post is ever taken for two."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from reelpub.models.job import Prepared
from reelpub.orchestrator.tracker import PartRef

__all__ = ["Claims"]


@frozen(eq=False)
class Claims:
    """The posts that belong to parts, of every publisher of one provider: keys of one customer see the same posts."""

    _owners: dict[str, str] = field(factory=dict, init=False)
    _on_their_way: set[PartRef] = field(factory=set, init=False)

    def taken_beside(self, ref: PartRef) -> frozenset[str]:
        """Return the ids of the posts that belong to other parts.

        Its own may be known here and not in the store, from which a part is taken up again: it has to be found.
        """
        own = ref.state.part.id
        return frozenset(post_id for post_id, part_id in self._owners.items() if part_id != own)

    def own(self, post_id: str, ref: PartRef) -> None:
        """Note that a post is a part's, by the provider's own answer."""
        self._owners.setdefault(post_id, ref.state.part.id)

    def disown(self, post_id: str, ref: PartRef) -> None:
        """Note that a post that was taken for a part's isn't."""
        if self._owners.get(post_id) == ref.state.part.id:
            del self._owners[post_id]

    def leaves(self, refs: Iterable[PartRef]) -> None:
        """Note that requests for *refs* are on their way, until `returned`."""
        self._on_their_way.update(refs)

    def returned(self, refs: Iterable[PartRef]) -> None:
        """Note that the requests for *refs* have ended, answered or not."""
        self._on_their_way.difference_update(refs)

    def claim(self, post_id: str, ref: PartRef, prepared: Prepared) -> bool:
        """Return whether a post that was found is the part's, and let it be no other's from now on.

        A post of which the id was known beforehand is. Another can be that of a part alike which was looked up at
        the same time, or which is on its way and whose answer isn't there yet.
        """
        if post_id in (ref.state.part.retries, prepared.post_id):
            return True
        if any(other != ref and _are_alike(other, ref) for other in self._on_their_way):
            return False
        return self._owners.setdefault(post_id, ref.state.part.id) == ref.state.part.id


def _are_alike(one: PartRef, other: PartRef) -> bool:
    """Return whether two parts put the same on the same accounts."""
    first, second = one.state.part, other.state.part
    return first.request.source == second.request.source and {account.id for account in first.accounts} == {
        account.id for account in second.accounts
    }
