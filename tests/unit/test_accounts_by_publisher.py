"""The accounts of one publisher among many, each of which is a customer's: what ails another's key is no matter."""

from __future__ import annotations

import pytest

from reelpub import AuthenticationError, ConfigurationError, Orchestrator
from reelpub.testing import InMemoryPublisher


class Revoked(InMemoryPublisher):
    async def accounts(self, *, refresh=False):
        raise AuthenticationError("revoked", status=401, operation="accounts", provider=self.provider)


async def test_the_accounts_of_one_are_asked_of_it_alone():
    customers = [InMemoryPublisher("a", accounts=["x:a"]), Revoked("b"), InMemoryPublisher("c", accounts=["x:c"])]
    async with Orchestrator(customers) as pub:
        assert [str(account) for account in await pub.accounts(publisher="c")] == ["x:c"]
        with pytest.raises(AuthenticationError):
            await pub.accounts(publisher="b", refresh=True)
        with pytest.raises(AuthenticationError):
            await pub.accounts()
        for wrong in ("d", 5):
            with pytest.raises(ConfigurationError, match="publisher: "):
                await pub.accounts(publisher=wrong)
