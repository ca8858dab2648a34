"""What a publisher says of itself: its features, its checks, its accounts and its plans."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from reelpub.errors import UnsupportedOperation
from reelpub.models.capability import Capabilities, Feature
from reelpub.providers import base
from reelpub.providers.base import Publisher
from reelpub.testing.contract.base import ContractBase
from reelpub.testing.contract.expecting import expect, raises
from reelpub.testing.memory import InMemoryPublisher

__all__ = ["PROTOCOLS", "DescriptionTests"]

PROTOCOLS: dict[Feature, type] = {
    Feature.SCHEDULE: base.SupportsSchedule,
    Feature.RETRY_FAILED: base.SupportsRetryFailed,
    Feature.CANCEL: base.SupportsCancel,
    Feature.RESCHEDULE: base.SupportsReschedule,
    Feature.DELETE: base.SupportsDelete,
    Feature.BULK_READ: base.SupportsBulkRead,
    Feature.FIND_DUPLICATE: base.SupportsFindDuplicate,
    Feature.CAPTIONS: base.SupportsCaptions,
    Feature.CONNECT_ACCOUNT: base.SupportsConnect,
    Feature.DISCONNECT_ACCOUNT: base.SupportsDisconnect,
    Feature.ACCOUNT_SLOTS: base.SupportsAccountSlots,
}


class DescriptionTests(ContractBase):
    """What it says of itself is so, and saying it sends nothing but reads."""

    def test_it_is_a_publisher(self) -> None:
        """It has every member of the protocol, a name, a provider and limits that mean something."""

        async def body(publisher: Publisher) -> None:
            expect(isinstance(publisher, Publisher), "a member of reelpub.providers.base.Publisher is missing")
            expect(bool(publisher.name) and bool(publisher.provider), "name and provider have to be texts")
            expect(publisher.limits.requests >= 1 and publisher.limits.window > 0, "limits allow no request")
            expect(publisher.limiter.limit >= 1, "the limiter lets nothing through")
            for request in self.requests():
                kind = type(request.source)
                expect(issubclass(kind, publisher.capabilities.sources), f"capabilities.sources leaves {kind} out")

        self._play(body)

    def test_features_are_offered_as_implemented(self) -> None:
        """A feature is among the capabilities exactly if its protocol is implemented."""

        async def body(publisher: Publisher) -> None:
            for feature, protocol in PROTOCOLS.items():
                offered, implemented = publisher.capabilities.can(feature), isinstance(publisher, protocol)
                expect(
                    offered == implemented,
                    f"{feature.value} is {'' if offered else 'not '}offered, "
                    f"{protocol.__name__} is {'' if implemented else 'not '}implemented",
                )

        self._play(body)

    def test_what_it_lacks_is_refused_with_nothing_sent(self) -> None:
        """Asking for a feature that it doesn't offer raises, and names who can."""

        async def body(publisher: Publisher) -> None:
            able = InMemoryPublisher("able")
            able.capabilities = Capabilities(
                sources=(), platforms=frozenset(), features=cast("Any", frozenset(Feature))
            )
            before = dict(publisher.requests)
            for feature in Feature:
                if publisher.capabilities.can(feature):
                    base.require(publisher, feature, [publisher, able])
                    continue
                with raises(UnsupportedOperation) as caught:
                    base.require(publisher, feature, [publisher, able])
                error = cast("UnsupportedOperation", caught[0])
                expect(error.supported_by == (able.provider,), f"{feature.value}: doesn't say who can")
                expect(error.provider == publisher.provider, f"{feature.value}: doesn't say who can't")
            expect(dict(publisher.requests) == before, "something was sent")
            await able.close()

        self._play(body)

    def test_a_check_sends_nothing(self) -> None:
        """What the checks find in good requests is no error, and they are offline."""

        async def body(publisher: Publisher) -> None:
            for request in self.requests():
                errors = [str(problem) for problem in publisher.check(request) if problem.is_error]
                expect(not errors, f"check refuses a request that `requests` says is good: {errors}")
            expect(not publisher.requests, "check sent something")

        self._play(body)

    def test_accounts_are_read_once(self) -> None:
        """They are this provider's, each once; they are remembered until they are to be read anew."""

        async def body(publisher: Publisher) -> None:
            accounts = await publisher.accounts()
            ids = [account.id for account in accounts]
            expect(len(ids) == len(set(ids)) > 0, f"accounts are missing or doubled: {ids}")
            expect(all(one.provider == publisher.provider for one in accounts), "an account is another provider's")
            before = dict(publisher.requests)
            expect(list(await publisher.accounts()) == list(accounts), "the second time they are others")
            expect(dict(publisher.requests) == before, "they were read again though nobody asked for that")
            again = await publisher.accounts(refresh=True)
            expect([one.id for one in again] == ids, "read anew, they are others")

        self._play(body)

    def test_a_plan_covers_each_account_exactly_once(self) -> None:
        """The groups of a plan, put together, are the accounts; none is empty, and nothing is sent for it."""

        async def body(publisher: Publisher) -> None:
            accounts = [account for account in await publisher.accounts() if account.is_active]
            before = dict(publisher.requests)
            for request in self.requests():
                groups = publisher.plan(request, accounts)
                found = Counter(account.id for group in groups for account in group)
                expect(found == Counter(one.id for one in accounts), f"covered: {dict(found)}")
                expect(all(groups), "a group is empty")
            expect(dict(publisher.requests) == before, "plan sent something")

        self._play(body)
