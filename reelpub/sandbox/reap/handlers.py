"""Which function answers which of the contract's 29 operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reelpub.sandbox.reap import catalogue, creation, library, posts, uploads
from reelpub.sandbox.reap.state import Studio
from reelpub.sandbox.wire import Call, Reply

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[[Studio, Call], Reply]
"""Answers one operation; raises `Refusal` for what isn't a success."""

HANDLERS: Mapping[str, Handler] = {
    "getIntegrations": catalogue.get_integrations,
    "publishClip": posts.publish_clip,
    "scheduleClips": posts.schedule_clips,
    "getAllPosts": posts.get_all_posts,
    "getPostDetails": posts.get_post_details,
    "updatePost": posts.update_post,
    "deletePost": posts.delete_post,
    "getAllProjects": library.get_all_projects,
    "getProjectStatus": library.get_project_status,
    "getProjectDetails": library.get_project_details,
    "getProjectClips": library.get_project_clips,
    "getClipDetails": library.get_clip_details,
    "updateProject": library.update_project,
    "updateClip": library.update_clip,
    "cancelProject": library.cancel_project,
    "deleteProject": library.delete_project,
    "deleteClip": library.delete_clip,
    "createClips": creation.create_clips,
    "createCaptions": creation.create_captions,
    "createTranscription": creation.create_transcription,
    "createReframe": creation.create_reframe,
    "createDubbing": creation.create_dubbing,
    "getUploadUrl": uploads.get_upload_url,
    "getAllUploads": uploads.get_all_uploads,
    "deleteUpload": uploads.delete_upload,
    "getAllPresets": catalogue.get_all_presets,
    "getTranslationLanguages": catalogue.get_translation_languages,
    "getDubbingLanguages": catalogue.get_dubbing_languages,
    "getPlanUsage": catalogue.get_plan_usage,
}
