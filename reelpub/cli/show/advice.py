"""What a person can do about an error."""

from __future__ import annotations

import os
from collections.abc import Mapping

from reelpub import errors
from reelpub.cli.show.printable import clean
from reelpub.models.problem import Problem

__all__ = ["advice", "complaint"]

_KEYS = "set the key, such as export REAP_API_KEY=...; `reelpub sandbox` prints a set to try things with"
_ADVICE: tuple[tuple[type[errors.ReelPubError], str], ...] = (
    (errors.UnsupportedOperation, "leave that row out, or have a publisher do it that can"),
    (errors.AuthenticationError, "look at the key in {key}: it is missing, wrong or revoked"),
    (errors.PaymentRequiredError, "top up the balance at {provider}"),
    (errors.PermissionDeniedError, "give the key in {key} the permission it lacks, or make one that has it"),
    (
        errors.NotFoundError,
        "compare the id with what {provider} shows{or_address}; `reelpub results` lists the posts of a run",
    ),
    (errors.RateLimitError, "wait a minute: something else uses the same key"),
    (errors.RateLimitWouldBlock, "give it more time with --timeout"),
    (errors.ServerError, "try again later: the fault is {provider}'s"),
    (errors.APIStatusError, "mend what {provider} names, then try again"),
    (errors.ConnectError, "look at the network, and at {url} if it is set"),
    (errors.TransportError, "look at the network and try again; what may have been sent is looked up first"),
    (errors.DecodeError, "update reelpub: {provider} answers in a way that this version can't read"),
    (errors.DeadlineExceeded, "give it more time with --timeout, or go on later with `reelpub watch`"),
    (errors.OutcomeUnknown, "look at the accounts before it is sent again"),
    (errors.DeliveryFailed, "send what failed again with `reelpub retry --failed`"),
    (errors.LeaseLost, "leave it to the other process and follow it with `reelpub watch`"),
    (errors.StoreError, "see that the file can be written and its disk isn't full, or name another with --store"),
)


def advice(error: errors.ReelPubError, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return what to do next about *error*; None where its own words say it already.

    An address that *environ* has may be what is wrong, where something isn't found there.
    """
    if isinstance(error, errors.ConfigurationError) and "API key" in str(error):
        return _KEYS
    provider = str(getattr(error, "provider", "") or "the provider")
    for kind, text in _ADVICE:
        if isinstance(error, kind):
            name = provider.upper() if provider != "the provider" else "…"
            url = f"{name}_BASE_URL"
            or_address = f", and look at the address in {url}" if environ.get(url) else ""
            return text.format(provider=provider, key=f"{name}_API_KEY", url=url, or_address=or_address)
    return None


def complaint(error: errors.ReelPubError) -> str:
    """Return what standard error says of *error*, on one line for each problem, and what to do next."""
    problems: tuple[Problem, ...] = getattr(error, "problems", ()) if isinstance(error, errors.ValidationError) else ()
    told = [str(problem) for problem in problems] or [str(error)]
    lines = [f"reelpub: {clean(text)}" for text in told]
    what = advice(error)
    return "\n".join([*lines, f"reelpub: next: {what}"] if what is not None else lines)
