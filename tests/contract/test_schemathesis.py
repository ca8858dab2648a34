"""Generated requests against the running sandbox: schemathesis, a judge that neither the SDK nor the sandbox wrote.

The contracts are handed to it with a few changes, all made here: request schemas are closed, so that an unknown member
counts as wrong data; the common error answers stand at every operation, and an empty 204 where any 2XX may come; ids
are chosen among the sandbox's own, so that calls get past "not found"; and as those are plain names, the format "uuid",
which the ReelMirror contract marks as only observed, is left out.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession

from reelpub.sandbox import REAP_ACCOUNTS, REAP_KEY, REELMIRROR_ACCOUNTS, REELMIRROR_KEY, ReelMirrorDialect, Sandbox
from reelpub.sandbox.reelmirror import answer_schemas

CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts"
KEYS = {"reap": REAP_KEY, "reelmirror": REELMIRROR_KEY}
NOW = 1_800_000_000.0
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
COMMON_ANSWERS = {
    "reap": {
        "400": "BadRequest",
        "403": "Forbidden",
        "404": "NotFound",
        "422": "ValidationFailed",
    },
    "reelmirror": {
        "400": "BadRequest",
        "402": "InsufficientBalance",
        "403": "Forbidden",
        "404": "NotFound",
        "409": "Conflict",
    },
}
# Where the contract leaves the shape of an answer open, the dialect fixes it.
OPEN_ANSWERS = {"reap": {}, "reelmirror": answer_schemas(ReelMirrorDialect())}
# What may be deleted, so that something is left for the other calls; the caller's own key stays too.
DELETABLE = {
    "deleteProject": {"projectId": ["demo-project-3", "demo-project-nowhere"]},
    "deleteClip": {"clipId": ["demo-clip-3", "demo-clip-nowhere"]},
    "deletePersona": {"persona_id": ["nowhere"]},
    "deleteOutgoingPost": {"id": ["nowhere"]},
    "revokeApiKey": {"key_id": ["demo-key-2", "demo-key-3", "nowhere"]},
}
REAP_PROJECTS = [f"demo-project-{name}" for name in (1, 2, 3, "unfinished", "cancelled", "nowhere")]


class StillClock:
    """A clock that stands still, so that runs repeat."""

    def time(self):
        return NOW

    def monotonic(self):
        return NOW

    async def sleep(self, seconds):
        raise AssertionError("the sandbox never waits")


async def prepared(sandbox, provider):
    """Make what can't be seeded, and return the values that each member may take, and each operation that deletes."""
    headers = {"Authorization": f"Bearer {KEYS[provider]}"}
    async with ClientSession(headers=headers, raise_for_status=True) as session:

        async def make(path, body):
            async with session.post(sandbox.base_url(provider) + path, json=body) as response:
                made = await response.json()
            if "uploadUrl" in made:
                put = {"data": b"x", "headers": {"Content-Type": "video/mp4"}}
                async with ClientSession() as stranger, stranger.put(made["uploadUrl"], **put) as response:
                    assert response.status == 200
            return made

        return await {"reap": reap_ids, "reelmirror": reelmirror_ids}[provider](make)


async def reap_ids(make):
    clip = {"projectId": "demo-project-1", "clipId": "demo-clip-1"}
    accounts = [account.id for account in REAP_ACCOUNTS]
    going = await make("/publish-clip", {**clip, "integrations": accounts[:1]})
    dates = {"clips": [clip] * 3, "integrations": accounts[:1], "scheduleDate": int(NOW) + 4000}
    waiting = await make("/schedule-clips", dates)
    upload = await make("/get-upload-url", {"filename": "a.mp4"})
    return {
        "projectId": REAP_PROJECTS,
        "clipId": ["demo-clip-1", "demo-clip-2", "demo-clip-3", "demo-clip-nowhere"],
        "integrations": accounts[:4],
        "postId": [going["id"], *(post["id"] for post in waiting["posts"]), "f" * 24],
        "uploadId": [upload["id"], "f" * 24],
        "sourceUrl": ["https://youtu.be/a", "https://example.com/failed", "https://archive.org/a", "nothing"],
        "captionsPreset": ["system_hype", "system_beasty", "nowhere"],
        "clipDurations": [[0, 30], [30, 60]],
        "sourceLanguage": ["en-US"],
        "targetLanguage": ["fr-FR", "nowhere"],
    }


async def reelmirror_ids(make):
    items = [{"generated_media_item_id": "demo-media-item-1", "position": 0}]
    accounts = [account.id for account in REELMIRROR_ACCOUNTS]
    body = {"items": items, "target_account_ids": accounts[:1]}
    drafts = [(await make("/v1/publishing/posts", body))["data"]["id"] for _ in range(5)]
    for draft in drafts[:2]:
        await make(f"/v1/publishing/posts/{draft}/schedule", {"scheduled_for": "2027-06-01T12:00:00Z"})
    jobs = (await make("/v1/personas/demo-persona-1/sync", None))["job_ids"]
    spare = (await make("/v1/personas", {"name": "Spare"}))["data"]["id"]
    media = ["demo-media-item-1", "demo-media-item-2", "nowhere"]
    return {
        "id": [*drafts[:-1], "nowhere"],
        "account_id": [*accounts[2:], "nowhere"],
        "post_id": [f"demo-generated-post-{name}" for name in (1, 2, 3, 4, "unfinished", "nowhere")],
        "item_id": media,
        "persona_id": ["demo-persona-1", "nowhere"],
        "job_id": [*jobs, "nowhere"],
        "generated_media_item_id": media,
        "generated_media_item_ids": media,
        "target_account_ids": accounts,
        "source_post_id": ["demo-source-post-1", "nowhere"],
        "amount_cents": [500, 1000, 7],
        "scheduled_for": ["2027-06-01T12:00:00Z", "2020-06-01T12:00:00Z"],
        "deletePersona": [spare],
        "deleteOutgoingPost": [drafts[-1]],
    }


def chosen(schema, ids):
    """Return *schema* for one of *ids*, or for a list of them if it is one of a list."""
    one = {"enum": ids}
    return {**schema, "items": one} if schema.get("type") == "array" else one


def adapted(node, ids):
    """Return a part of a contract with objects closed, ids chosen and dates in reach."""
    if isinstance(node, list):
        return [adapted(item, ids) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {name: adapted(value, ids) for name, value in node.items() if name not in ("examples", "example")}
    if isinstance(node.get("properties"), dict):
        copy.setdefault("additionalProperties", False)
        copy["properties"] = {
            name: chosen(value, ids[name]) if name in ids else value for name, value in copy["properties"].items()
        }
        if "scheduleDate" in copy["properties"]:
            dates = {"type": "integer", "minimum": int(NOW) + 3000, "maximum": int(NOW) + 10_000_000}
            copy["properties"]["scheduleDate"] = dates
    if {"name", "in", "schema"} <= set(node) and node["name"] in ids:
        copy["schema"] = chosen(node["schema"], ids[node["name"]])
    return copy


def contract_for(provider, ids):
    """Return the contract as schemathesis is to see it: only what requests are made of is adapted."""
    document = yaml.safe_load((CONTRACTS / f"{provider}.openapi.yaml").read_text(encoding="utf-8"))
    document = without_uuids(document)
    document.pop("webhooks", None)
    schemas = document["components"]["schemas"]
    # Answers keep the contract's own schemas; requests refer to adapted copies of them.
    copies = {f"{name}Sent": adapted(schema, ids) for name, schema in schemas.items()}
    schemas.update(redirected(copies))
    for item in document["paths"].values():
        for operation in item.values():
            name = operation["operationId"]
            spare = {member: [*values, *ids.get(name, [])] for member, values in DELETABLE.get(name, {}).items()}
            own_ids = ids | spare
            parameters = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
            operation["parameters"] = adapted(parameters, own_ids)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content["schema"] = redirected(adapted(content["schema"], ids))
                content.pop("examples", None)
            if "2XX" in operation["responses"]:
                operation["responses"]["204"] = {"description": "Done; nothing to say."}
            for status, common in COMMON_ANSWERS[provider].items():
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{common}"})
            for (owner, status), schema in OPEN_ANSWERS[provider].items():
                if owner == name:
                    content = {"application/json": {"schema": schema}}
                    operation["responses"][str(status)] = {"description": "As the dialect says.", "content": content}
    return document


def without_uuids(node):
    """Return *node* without the format "uuid"."""
    if isinstance(node, list):
        return [without_uuids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {name: without_uuids(value) for name, value in node.items() if (name, value) != ("format", "uuid")}


def resolved(document, parameter):
    """Return *parameter*, or the one that it refers to."""
    if "$ref" not in parameter:
        return parameter
    return document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]


def redirected(node):
    """Return *node* with its references to schemas pointing at the adapted copies."""
    if isinstance(node, list):
        return [redirected(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: f"{value}Sent" if name == "$ref" and value.startswith("#/components/schemas/") else redirected(value)
        for name, value in node.items()
    }


async def run(sandbox, provider, document, folder, *options):
    """Run schemathesis over *document* and return its exit status and what it printed."""
    file = folder / "contract.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    command = [
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", str(file)),
        *("--url", sandbox.base_url(provider), "-H", f"Authorization: Bearer {KEYS[provider]}"),
        *("--phases", "fuzzing", "--max-examples", "20", "--generation-deterministic", "--seed", "1"),
        *("--checks", ",".join(CHECKS), "--warnings", "off", "--no-color", *options),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode()


@pytest.mark.parametrize("provider", ["reap", "reelmirror"])
async def test_generated_requests_meet_only_answers_of_the_contract(provider, tmp_path):
    """No 5xx, no unknown status, no answer off its schema, and no wrong data taken."""
    async with Sandbox(clock=StillClock(), limits={"reap": None, "reelmirror": None}) as sandbox:
        document = contract_for(provider, await prepared(sandbox, provider))
        status, output = await run(sandbox, provider, document, tmp_path)
        assert status == 0, output[-6000:]
        operations = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
        records = sandbox.requests(provider)
        assert {record.operation for record in records} >= operations
        succeeded = {record.operation for record in records if record.status is not None and record.status < 300}
        assert len(succeeded) >= 0.8 * len(operations), sorted(operations - succeeded)
        refused = {record.operation for record in records if record.status in (400, 404, 422)}
        assert len(refused) >= 0.5 * len(operations)


async def test_the_judge_sees_a_wrong_answer(tmp_path):
    """Told that a number is a text, schemathesis says no: a run that passes means something."""
    async with Sandbox(clock=StillClock(), limits={"reap": None}) as sandbox:
        document = contract_for("reap", {})
        document["components"]["schemas"]["Integration"]["properties"]["isActive"] = {"type": "integer"}
        status, output = await run(sandbox, "reap", document, tmp_path, "--include-operation-id", "getIntegrations")
        assert status == 1
        assert "isActive" in output
