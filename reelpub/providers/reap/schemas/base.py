"""What the wire shapes share."""

from __future__ import annotations

from typing import Any

from attrs import Attribute, frozen

from reelpub.providers.structure import WireTypeError

__all__ = ["Page", "identifier"]


def identifier(_instance: object, _attribute: Attribute[str], value: Any) -> None:
    """Refuse an empty id: nothing could be looked up or told apart by it."""
    if not value:
        raise WireTypeError("an id that isn't empty", value)


@frozen(kw_only=True)
class Page:
    """Where a page stands, as far as Reap says; the list and its total have a name of their own in each resource."""

    current_page: int | None = None
    total_pages: int | None = None

    @property
    def page(self) -> int | None:
        """The page's number, from 1."""
        return self.current_page
