"""How a publisher ends, and what of it may never show."""

from __future__ import annotations

from reelpub.errors import ReelPubError
from reelpub.providers.base import Publisher
from reelpub.testing.contract.base import ContractBase
from reelpub.testing.contract.expecting import expect

__all__ = ["ClosingTests"]


class ClosingTests(ContractBase):
    """It can be closed at any time, and shows no secret."""

    def test_closing_twice_is_closing_once(self) -> None:
        """`close` may be called again, also on a publisher that was never used."""

        async def body(publisher: Publisher) -> None:
            await publisher.close()
            await publisher.close()

        async def used(publisher: Publisher) -> None:
            await publisher.accounts()
            await body(publisher)

        self._play(body)
        self._play(used)

    def test_no_secret_shows(self) -> None:
        """No secret is in the repr of the publisher, of what hangs on it, or of anything that it returns."""

        async def body(publisher: Publisher) -> None:
            prepared = await publisher.prepare((await self._parts(publisher))[0])
            post = await publisher.publish(prepared)
            shown = [publisher, prepared, post, await publisher.accounts(), publisher.requests]
            shown += list(vars(publisher).values()) if hasattr(publisher, "__dict__") else []
            try:
                await publisher.fetch("no such post")
            except ReelPubError as error:
                shown += [error, str(error), vars(error), error.__cause__, error.__context__]
            for value in shown:
                for secret in self.secrets:
                    expect(secret not in repr(value), f"a secret shows in the repr of {type(value).__name__}")

        self._play(body)
