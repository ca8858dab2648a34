"""The contract that every publisher keeps, as tests to subclass for a publisher of your own.

::

    from reelpub.testing import PublisherContract

    class TestMyPublisher(PublisherContract):
        async def make(self, clock):
            self.server = await MyServer.start(clock)
            return MyPublisher(self.server.url, api_key="k-secret", clock=clock)

        async def clean_up(self):
            await self.server.stop()

        def requests(self):
            return [PublishRequest(Clip("project", f"clip-{n}"), accounts=["tiktok:a", "youtube:a"]) for n in range(3)]

        async def live(self):
            return [(post.account_id, post.id) for post in self.server.live_posts()]

        async def fail_next(self, account):
            self.server.fail_next_delivery(account.id)

        secrets = ("k-secret",)
"""

from __future__ import annotations

from reelpub.testing.contract.afterwards import AfterwardsTests
from reelpub.testing.contract.closing import ClosingTests
from reelpub.testing.contract.description import PROTOCOLS, DescriptionTests
from reelpub.testing.contract.publishing import PublishingTests

__all__ = ["PROTOCOLS", "PublisherContract"]


class PublisherContract(DescriptionTests, PublishingTests, AfterwardsTests, ClosingTests):
    """Subclass it under a name that begins with ``Test``, and give it the hooks; pytest does the rest.

    `make`, `requests`, `live` and `fail_next` have to be given. `secrets` are texts that must never show, such as the
    API key; `patience` is within how many seconds a post of yours has ended; `lead` is how many seconds ahead posts
    are scheduled.

    Each test makes a publisher of its own and runs in virtual time. A publisher whose service doesn't live in the
    test's own loop can't be played so: override `run` with ``asyncio.run(main(SystemClock()))``, say.
    """
