"""Pure builders: the arguments of an operation to the request that it is.

Each is named after its operation. All raise `reelpub.errors.ValidationError` with every problem of the arguments.
"""

from __future__ import annotations

from reelpub.providers.reelmirror.endpoints.account import (
    agent_signup,
    create_api_key,
    create_setup_intent,
    create_topup,
    get_balance,
    list_api_keys,
    list_transactions,
    revoke_api_key,
    update_auto_reload,
)
from reelpub.providers.reelmirror.endpoints.accounts import (
    disconnect_account,
    get_account_slots,
    get_connect_url,
    list_connected_accounts,
    set_account_slots,
)
from reelpub.providers.reelmirror.endpoints.generated import (
    approve_generated_post,
    generate,
    get_generated_media_item,
    get_generated_post,
    reject_generated_media_item,
    reject_generated_post,
    send_generated_post_to_compose,
)
from reelpub.providers.reelmirror.endpoints.personas import (
    add_publishing_target,
    create_persona,
    delete_persona,
    get_persona,
    list_personas,
    update_persona,
)
from reelpub.providers.reelmirror.endpoints.publishing import (
    cancel_outgoing_post,
    create_outgoing_post,
    delete_outgoing_post,
    generate_caption,
    get_outgoing_post,
    list_outgoing_posts,
    publish_outgoing_post,
    retry_outgoing_post,
    schedule_outgoing_post,
    update_outgoing_post,
)
from reelpub.providers.reelmirror.endpoints.sources import (
    add_source,
    get_sync_job,
    list_source_posts,
    list_sources,
    trigger_sync,
    upload_file,
)

__all__ = [
    "add_publishing_target",
    "add_source",
    "agent_signup",
    "approve_generated_post",
    "cancel_outgoing_post",
    "create_api_key",
    "create_outgoing_post",
    "create_persona",
    "create_setup_intent",
    "create_topup",
    "delete_outgoing_post",
    "delete_persona",
    "disconnect_account",
    "generate",
    "generate_caption",
    "get_account_slots",
    "get_balance",
    "get_connect_url",
    "get_generated_media_item",
    "get_generated_post",
    "get_outgoing_post",
    "get_persona",
    "get_sync_job",
    "list_api_keys",
    "list_connected_accounts",
    "list_outgoing_posts",
    "list_personas",
    "list_source_posts",
    "list_sources",
    "list_transactions",
    "publish_outgoing_post",
    "reject_generated_media_item",
    "reject_generated_post",
    "retry_outgoing_post",
    "revoke_api_key",
    "schedule_outgoing_post",
    "send_generated_post_to_compose",
    "set_account_slots",
    "trigger_sync",
    "update_auto_reload",
    "update_outgoing_post",
    "update_persona",
    "upload_file",
]
