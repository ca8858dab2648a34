"""Which function answers which of the contract's 43 operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reelpub.sandbox.reelmirror import accounts, billing, personas, posts, review
from reelpub.sandbox.reelmirror.world import World
from reelpub.sandbox.wire import Call, Reply

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[[World, Call], Reply]
"""Answers one operation; raises `Refusal` for what isn't a success."""

HANDLERS: Mapping[str, Handler] = {
    "createOutgoingPost": posts.create,
    "listOutgoingPosts": posts.list_posts,
    "getOutgoingPost": posts.read,
    "updateOutgoingPost": posts.update,
    "deleteOutgoingPost": posts.delete,
    "publishOutgoingPost": posts.publish,
    "scheduleOutgoingPost": posts.schedule,
    "cancelOutgoingPost": posts.cancel,
    "retryOutgoingPost": posts.retry,
    "generateCaption": posts.caption,
    "listConnectedAccounts": accounts.list_accounts,
    "getConnectUrl": accounts.connect_url,
    "disconnectAccount": accounts.disconnect,
    "getAccountSlots": accounts.read_slots,
    "setAccountSlots": accounts.set_slots,
    "getGeneratedPost": review.read_post,
    "approveGeneratedPost": review.approve,
    "rejectGeneratedPost": review.reject_post,
    "sendGeneratedPostToCompose": review.send_to_compose,
    "getGeneratedMediaItem": review.read_media_item,
    "rejectGeneratedMediaItem": review.reject_media_item,
    "generate": review.generate,
    "listPersonas": personas.list_personas,
    "createPersona": personas.create_persona,
    "getPersona": personas.read_persona,
    "updatePersona": personas.update_persona,
    "deletePersona": personas.delete_persona,
    "addPublishingTarget": personas.add_target,
    "addSource": personas.add_source,
    "listSources": personas.list_sources,
    "listSourcePosts": personas.list_source_posts,
    "triggerSync": personas.trigger_sync,
    "getSyncJob": personas.read_sync_job,
    "uploadFile": personas.upload,
    "getBalance": billing.read_balance,
    "updateAutoReload": billing.set_auto_reload,
    "listTransactions": billing.list_transactions,
    "createTopup": billing.top_up,
    "createSetupIntent": billing.setup_intent,
    "agentSignup": billing.sign_up,
    "createApiKey": billing.create_key,
    "listApiKeys": billing.list_keys,
    "revokeApiKey": billing.revoke_key,
}
