"""Reap's wire shapes against its contract: same names, same documented values, nothing secret in a repr."""

from __future__ import annotations

import re
import typing
from enum import StrEnum
from pathlib import Path

import attrs
import pytest
import yaml

from reelpub.providers.reap import schemas
from reelpub.providers.reap.converter import CONVERTER
from reelpub.providers.reap.schemas import (
    Clip,
    Platform,
    PlatformSettings,
    Post,
    Project,
    TikTokSettings,
    UploadTarget,
)
from reelpub.providers.structure import camel_case

CONTRACT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "contracts" / "reap.openapi.yaml").read_text())
WIRE = CONTRACT["components"]["schemas"]

SHAPES = {
    "Integration": schemas.Integration,
    "IntegrationList": schemas.IntegrationList,
    "Post": schemas.Post,
    "PostPage": schemas.PostPage,
    "YouTubeSettings": schemas.YouTubeSettings,
    "TikTokSettings": schemas.TikTokSettings,
    "InstagramSettings": schemas.InstagramSettings,
    "LinkedInSettings": schemas.LinkedInSettings,
    "PlatformSettings": schemas.PlatformSettings,
    "ScheduleClipItem": schemas.ScheduleClip,
    "ScheduleFailedItem": schemas.ScheduleFailure,
    "ScheduleClipsResponse": schemas.ScheduleResult,
    "MediaMeta": schemas.MediaMeta,
    "Project": schemas.Project,
    "ProjectPage": schemas.ProjectPage,
    "ProjectStatusView": schemas.ProjectStatusView,
    "Clip": schemas.Clip,
    "ClipPage": schemas.ClipPage,
    "Upload": schemas.Upload,
    "PresetPreferences": schemas.PresetPreferences,
    "Preset": schemas.Preset,
    "Language": schemas.Language,
    "LanguageCatalogue": schemas.LanguageCatalogue,
    "WebhookEvent": schemas.WebhookEvent,
}

NOT_SHAPES = {
    "Error": "read by read_error",
    "ValidationError": "read by read_error",
    "ValidationErrorItem": "read by read_error",
    "PublishClipRequest": "built by an endpoint",
    "ScheduleClipsRequest": "built by an endpoint",
    "UpdatePostRequest": "built by an endpoint",
    "CreateClipsRequest": "built by an endpoint",
    "CreateCaptionsRequest": "built by an endpoint",
    "Resolution": "numbers, checked by an endpoint",
    "UploadTarget": "Upload and one member more",
}

INLINE = {
    "/get-all-uploads": schemas.UploadPage,
    "/get-all-presets": schemas.PresetPage,
    "/delete-post": schemas.DeletedPost,
    "/delete-project": schemas.DeletedProject,
    "/delete-clip": schemas.DeletedClip,
    "/delete-upload": schemas.DeletedUpload,
}

ENUMS = {name: getattr(schemas, name) for name, node in WIRE.items() if "enum" in node and name != "Resolution"}


def wire_names(cls):
    return {camel_case(a.name) for a in attrs.fields(cls)}


def test_every_schema_of_the_contract_has_a_class_or_a_reason():
    assert SHAPES.keys() | ENUMS.keys() | NOT_SHAPES.keys() == WIRE.keys()


@pytest.mark.parametrize("name", SHAPES)
def test_a_class_has_the_members_of_its_schema(name):
    assert wire_names(SHAPES[name]) == set(WIRE[name]["properties"])


@pytest.mark.parametrize("path", INLINE)
def test_a_class_has_the_members_of_an_inline_schema(path):
    (operation,) = CONTRACT["paths"][path].values()
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert wire_names(INLINE[path]) == set(schema["properties"])


def test_an_upload_target_is_an_upload_with_an_address():
    assert wire_names(UploadTarget) == set(WIRE["Upload"]["properties"]) | {"uploadUrl"}


@pytest.mark.parametrize("name", ENUMS)
def test_enums_hold_the_documented_values(name):
    assert {item.value for item in ENUMS[name]} == set(WIRE[name]["enum"])


@pytest.mark.parametrize("name", SHAPES)
def test_enums_inside_a_schema_hold_its_documented_values_and_are_open(name):
    for member, node in WIRE[name]["properties"].items():
        target = WIRE[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
        if "enum" not in target or target["type"] != "string":
            continue
        field = re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", member)
        members = typing.get_args(typing.get_type_hints(SHAPES[name])[field])
        (enum,) = [item for item in members if isinstance(item, type) and issubclass(item, StrEnum)]
        assert str in members, field
        assert {item.value for item in enum} >= set(target["enum"]), field


@pytest.mark.parametrize("cls", [*SHAPES.values(), *INLINE.values(), UploadTarget])
def test_shapes_are_frozen_and_slotted_and_documented(cls):
    assert cls.__doc__
    assert "__slots__" in vars(cls)
    assert cls.__setattr__ is not object.__setattr__


def test_signed_addresses_stay_out_of_every_repr():
    signed = "https://bucket.example/a.mp4?Signature=hunter2"
    values = [
        UploadTarget(id="u", upload_url=signed),
        Clip(clip_url=signed, clip_with_captions_url=signed),
        Project(id="p", urls={"videoFile": signed}, thumbnail=signed),
    ]
    assert "hunter2" not in repr(values)


def test_url_for_takes_the_first_key_that_has_an_address():
    post = Post(id="1", urls={"tiktok": "https://t.example/1", "int_2": "", "int_3": None, "x": 5})
    assert post.url_for("int_1", "tiktok") == "https://t.example/1"
    assert post.url_for("int_2", "int_3", "x", "youtube") is None


def test_settings_write_only_what_is_given():
    written = CONVERTER.unstructure(PlatformSettings(tiktok=TikTokSettings(disable_duet=True)))
    assert written == {"tiktok": {"disableDuet": True}}


def test_platforms_are_those_an_integration_can_have():
    assert {item.value for item in Platform} == {"youtube", "instagram", "tiktok", "linkedin", "x"}
