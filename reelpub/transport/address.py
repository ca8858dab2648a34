"""Addresses: which base addresses are acceptable, and how a request's address is built from one."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlencode

from yarl import URL

from reelpub.errors import ConfigurationError

__all__ = ["check_key", "check_url", "is_loopback", "parse_base", "request_url"]

# What `path_segment` can produce, and slashes; a raw space, newline, ``?`` or ``#`` would change the request's meaning.
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+")


def is_loopback(host: str | None) -> bool:
    """Return whether *host* can only be this machine."""
    if not host:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_key(api_key: str, name: str = "api_key") -> str:
    """Return *api_key* if it can stand in a header, else raise `ConfigurationError` without repeating it."""
    if not api_key:
        raise ConfigurationError(f"{name}: must be a non-empty string")
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigurationError(f"{name}: holds a space, a control character or one outside ASCII")
    return api_key


def check_url(text: str, name: str, *, allow_insecure: bool = False, percent_encoded: bool = False) -> URL:
    """Return *text* as a URL that a secret may be sent to; the error names the field, never the URL's query."""
    try:
        url = URL(text, encoded=percent_encoded)
        host, _ = url.host, url.port
    except (ValueError, TypeError):
        raise ConfigurationError(f"{name}: isn't a URL") from None
    if url.scheme not in ("http", "https") or not host:
        raise ConfigurationError(f"{name}: must be an http or https URL with a host")
    if url.user is not None or url.password is not None:
        raise ConfigurationError(f"{name}: must not hold a user name or password")
    if url.scheme == "http" and not allow_insecure and not is_loopback(host):
        raise ConfigurationError(f"{name}: must be https, since {host} isn't this machine")
    return url


def parse_base(base_url: str, *, allow_insecure: bool = False) -> URL:
    """Return *base_url* without a slash at its end, or raise `ConfigurationError` that names what is wrong."""
    url = check_url(base_url, "base_url", allow_insecure=allow_insecure)
    if "?" in base_url or "#" in base_url:
        raise ConfigurationError("base_url: must not hold a query or a fragment")
    return URL(str(url).rstrip("/"), encoded=True)


@lru_cache(maxsize=256)
def request_url(base: URL, path: str, query: tuple[tuple[str, str], ...]) -> URL:
    """Return the address of *path* (percent-encoded) under *base*; nothing in it is decoded or normalised.

    Kept for a while, as polling asks for the same again and again.
    """
    has_dots = "/." in path and any(segment in (".", "..") for segment in path.split("/"))
    if has_dots or not _PATH.fullmatch(path):
        raise ConfigurationError("path: isn't a percent-encoded path without dot segments")
    return URL(f"{base}{path}?{urlencode(query)}" if query else f"{base}{path}", encoded=True)
