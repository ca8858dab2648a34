"""Requests on the wire: the only package that imports aiohttp's client."""
