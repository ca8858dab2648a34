"""API keys of one provider: who may call, and with which scopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field

from reelpub.sandbox.ledger import masked
from reelpub.sandbox.seed import KeySeed

__all__ = ["Credential", "KeyRing"]


@define(kw_only=True)
class Credential:
    """One key and what it may do. Empty `scopes` allow everything; `created_at` is Unix seconds."""

    key: str = field(repr=masked)
    id: str
    name: str
    scopes: tuple[str, ...] = ()
    read_only: bool = False
    revoked: bool = False
    balance_cents: int = 10_000
    monthly_limit_cents: int | None = None
    created_at: float = 0.0

    def has_scope(self, scope: str | None) -> bool:
        """Whether the key may call an operation that needs *scope*."""
        return scope is None or not self.scopes or scope in self.scopes


class KeyRing:
    """The keys a provider knows, revoked ones among them. Iterating gives the key texts."""

    def __init__(self, seeds: Iterable[KeySeed], extra: Iterable[str] = ()) -> None:
        self._keys: dict[str, Credential] = {}
        for seed in (*seeds, *(KeySeed(key=key, note="given by the caller") for key in extra)):
            self.add(
                Credential(
                    key=seed.key,
                    id=f"demo-key-{len(self._keys) + 1}",
                    name=seed.note,
                    scopes=seed.scopes,
                    read_only=seed.read_only,
                    revoked=seed.revoked,
                    balance_cents=seed.balance_cents,
                )
            )

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._keys))

    def add(self, credential: Credential) -> None:
        """Know *credential* from now on."""
        self._keys[credential.key] = credential

    def find(self, key: str) -> Credential | None:
        """Return the credential of *key*, unless it is unknown or revoked."""
        credential = self._keys.get(key)
        return None if credential is None or credential.revoked else credential

    def valid(self) -> list[Credential]:
        """Return every key that isn't revoked."""
        return [credential for credential in self._keys.values() if not credential.revoked]
