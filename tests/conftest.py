"""What every test shares: the shim that lets aioresponses work with the aiohttp in use."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import aioresponses.core
from aiohttp import ClientResponse


class _ShimmedResponse(ClientResponse):
    """aioresponses 0.7.9 doesn't pass the `stream_writer` that aiohttp 3.14 wants (aioresponses#289)."""

    def __init__(self, *args, stream_writer=None, **kwargs):
        super().__init__(*args, stream_writer=stream_writer or Mock(output_size=0), **kwargs)


aioresponses.core.ClientResponse = _ShimmedResponse

# On Python 3.11 pytest-asyncio asks for a current loop before the first async test, which makes one that nobody closes.
asyncio.set_event_loop(None)
