"""The operations about personas and their publishing targets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from reelpub.providers.reelmirror import endpoints
from reelpub.providers.reelmirror.checks import MAX_PAGE
from reelpub.providers.reelmirror.client.base import Calls
from reelpub.providers.reelmirror.decode import Page
from reelpub.providers.reelmirror.paging import walk
from reelpub.providers.reelmirror.schemas import Persona
from reelpub.transport.message import CallOptions

__all__ = ["PersonaCalls"]


class PersonaCalls(Calls):
    """The personas that posts are generated for."""

    async def list_personas(
        self, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> AsyncIterator[Persona]:
        """Yield all personas from *offset* on, reading *limit* (1 to 100) of them with each request.

        Kind: reads. Scope ``personas:read``. See https://reelmirror.com/docs/api-reference/introduction

        Raises:
            ValidationError: *limit* or *offset* is out of range; nothing was sent.
        """

        async def fetch(limit: int, offset: int) -> Page[Persona]:
            return await self.list_personas_page(limit=limit, offset=offset, options=options)

        async for persona in walk(fetch, limit=limit, offset=offset):
            yield persona

    async def list_personas_page(
        self, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> Page[Persona]:
        """Read one page of the personas; see `list_personas`."""
        return await self._page(endpoints.list_personas(limit=limit, offset=offset), Persona, offset, options)

    async def create_persona(self, body: Mapping[str, Any], *, options: CallOptions | None = None) -> Persona | None:
        """Create a persona out of *body*, whose members no page names.

        Returns the persona where the answer holds one. Kind: other write; never repeated unless it provably never
        left or was refused with 429. Scope ``personas:write``. See
        https://reelmirror.com/docs/api-reference/introduction

        Raises:
            ValidationError: *body* isn't a mapping of JSON values; nothing was sent.
        """
        return await self._optional(endpoints.create_persona(body), Persona, options)

    async def get_persona(self, persona_id: str, *, options: CallOptions | None = None) -> Persona:
        """Read one persona.

        Kind: reads. Scope ``personas:read``. See https://reelmirror.com/docs/api-reference/introduction

        Raises:
            NotFoundError: no such persona.
        """
        return await self._one(endpoints.get_persona(persona_id), Persona, options)

    async def update_persona(
        self,
        persona_id: str,
        *,
        discount_mode: bool | None = None,
        extra: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
    ) -> Persona | None:
        """Change a persona; *discount_mode* takes 20 % off its generation, *extra* holds members no page names.

        Returns the persona where the answer holds one. Kind: repeatable. Scope ``personas:write``. See
        https://reelmirror.com/docs/guides/billing

        Raises:
            ValidationError: nothing to change was given; nothing was sent.
        """
        request = endpoints.update_persona(persona_id, discount_mode=discount_mode, extra=extra)
        return await self._optional(request, Persona, options)

    async def delete_persona(self, persona_id: str, *, options: CallOptions | None = None) -> None:
        """Delete a persona.

        Kind: repeatable; a repeat may answer 404. Scope ``personas:write``. See
        https://reelmirror.com/docs/api-reference/introduction

        Raises:
            NotFoundError: no such persona.
        """
        await self._nothing(endpoints.delete_persona(persona_id), options)

    async def add_publishing_target(
        self, persona_id: str, body: Mapping[str, Any], *, options: CallOptions | None = None
    ) -> Any:
        """Link a connected account to a persona; no page names the members of *body*.

        Returns the answer's JSON as it is, or None. Kind: other write; never repeated unless it provably never left or
        was refused with 429. See https://reelmirror.com/docs/guides/agent-automation

        Raises:
            ValidationError: *body* isn't a mapping of JSON values; nothing was sent.
            ConflictError: the account is linked already, presumably.
        """
        return await self._json(endpoints.add_publishing_target(persona_id, body), options)
