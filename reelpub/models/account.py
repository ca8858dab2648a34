"""Accounts on the social platforms, as a provider knows them."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

__all__ = ["Account", "AccountRef", "Platform"]


class Platform(StrEnum):
    """The platforms that the providers publish to. Providers may name others; those stay text."""

    INSTAGRAM = "instagram"
    LINKEDIN = "linkedin"
    TIKTOK = "tiktok"
    X = "x"
    YOUTUBE = "youtube"


@frozen(kw_only=True)
class Account:
    """One connected account. `id` is the provider's own; ``platform:username`` is how people name it.

    `name` is what the platform displays, `status` the provider's word for the account's state, where it has them. Only
    an active account can be posted to.
    """

    id: str
    provider: str
    platform: str
    username: str | None = None
    name: str | None = None
    status: str | None = None
    is_active: bool = True

    def __str__(self) -> str:
        return f"{self.platform}:{self.username}" if self.username else f"{self.platform}:{self.id}"


@frozen
class AccountRef:
    """How a request names an account: ``platform:username``, or the provider's id."""

    text: str = field()

    @property
    def platform(self) -> str | None:
        """The platform in ``platform:username``, or None where the text is an id."""
        head, colon, name = self.text.partition(":")
        return head.strip().lower() if colon and name else None

    @property
    def username(self) -> str | None:
        """The name in ``platform:username`` without a leading ``@``, or None where the text is an id."""
        head, colon, name = self.text.partition(":")
        return name.strip().removeprefix("@") if colon and head else None

    def matches(self, account: Account) -> bool:
        """Return whether this names *account*; user names are compared without regard to case."""
        if account.id == self.text:
            return True
        if self.platform is None or self.username is None:
            return False
        if account.platform.lower() != self.platform:
            return False
        return self.username in (account.id, account.username) or (
            account.username is not None and account.username.lower() == self.username.lower()
        )
