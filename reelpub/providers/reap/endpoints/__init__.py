"""Pure builders of Reap's requests: checked arguments in, a `Request` out. Named after the operations."""

from __future__ import annotations

from reelpub.providers.reap.endpoints.creating import (
    create_captions,
    create_clips,
    create_dubbing,
    create_reframe,
    create_transcription,
)
from reelpub.providers.reap.endpoints.projects import (
    cancel_project,
    delete_clip,
    delete_project,
    get_all_projects,
    get_clip_details,
    get_project_clips,
    get_project_details,
    get_project_status,
    update_clip,
    update_project,
)
from reelpub.providers.reap.endpoints.publishing import (
    Settings,
    delete_post,
    get_all_posts,
    get_integrations,
    get_post_details,
    publish_clip,
    schedule_clips,
    update_post,
)
from reelpub.providers.reap.endpoints.uploads import (
    delete_upload,
    get_all_presets,
    get_all_uploads,
    get_dubbing_languages,
    get_plan_usage,
    get_translation_languages,
    get_upload_url,
)

__all__ = [
    "Settings",
    "cancel_project",
    "create_captions",
    "create_clips",
    "create_dubbing",
    "create_reframe",
    "create_transcription",
    "delete_clip",
    "delete_post",
    "delete_project",
    "delete_upload",
    "get_all_posts",
    "get_all_presets",
    "get_all_projects",
    "get_all_uploads",
    "get_clip_details",
    "get_dubbing_languages",
    "get_integrations",
    "get_plan_usage",
    "get_post_details",
    "get_project_clips",
    "get_project_details",
    "get_project_status",
    "get_translation_languages",
    "get_upload_url",
    "publish_clip",
    "schedule_clips",
    "update_clip",
    "update_post",
    "update_project",
]
