"""The typed client: every operation of Reap's Automation API as one method, in the provider's words."""

from __future__ import annotations

from reelpub.providers.reap.client.creating import CreatingCalls
from reelpub.providers.reap.client.projects import ProjectCalls
from reelpub.providers.reap.client.publishing import PublishingCalls
from reelpub.providers.reap.client.uploads import UploadCalls

__all__ = ["ReapClient"]


class ReapClient(PublishingCalls, ProjectCalls, CreatingCalls, UploadCalls):
    """Reap's Automation API with one key (https://docs.reap.video/api-reference).

    ::

        async with ReapClient(api_key) as client:
            async for post in client.get_all_posts(created_after=1_760_000_000):
                print(post.id, post.status)

    *limiter* may be shared by everything that uses the same key; by default 10 requests in 60 s. *retry* says what is
    repeated, *timeout* bounds each request in real seconds. A *session* that is handed in carries what may be
    repeated, a *fresh_session* everything else, uploads too, for which the client makes connections of its own
    otherwise: whoever needs a proxy for all of the traffic gives both, the second with a
    ``TCPConnector(force_close=True)``. A *transport* replaces all arguments but *clock*, and brings its limiter along
    where it has one. Nothing that is handed in is closed with the client.

    Every method takes *options* for its call alone, refuses bad arguments with `ValidationError` before anything is
    sent, and raises the errors of `reelpub.errors` otherwise. Instants are whole Unix seconds, as Reap has them.
    """
