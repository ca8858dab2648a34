"""The first thing that is done about a run: it is noted with all of its rows, before anything is submitted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from reelpub.bulk.ids import job_id, new_run_id
from reelpub.bulk.standing import Standing
from reelpub.errors import ConfigurationError
from reelpub.manifest.rows import ManifestRow
from reelpub.store import codec
from reelpub.store.runs import RunStore, StoredRow, StoredRun

__all__ = ["begin"]

_CHUNK = 200
"""Rows written down before the loop gets a turn."""


async def begin(
    store: RunStore,
    rows: Iterable[ManifestRow],
    *,
    name: str,
    command: str,
    now: datetime,
    info: Mapping[str, Any] | None = None,
) -> str:
    """Note a run of *rows* in *store*, which has to be open, and return its id. Nothing is submitted.

    Rows with errors, rows that say to be skipped, and rows of a results file of which *store* knows that they were sent
    again since it was written, are left out. *name* is the manifest's, *command* what was asked
    for, and *info* JSON values for whoever made the run; how many rows there are is added to them.

    Raises:
        ConfigurationError: no row is left, or one isn't a row.
        StoreError: it can't be written.
    """
    run = await _free_id(store, now)
    standing = Standing(store)
    noted: list[StoredRow] = []
    left_out = 0
    for index, row in enumerate(rows):
        if not isinstance(row, ManifestRow):
            raise ConfigurationError(f"rows[{index}]: has to be a ManifestRow, not {type(row).__name__}")
        is_out = not row.is_sound or row.skip is not None or await standing.why_not(row) is not None
        if row.request is None or is_out:
            left_out += 1
            continue
        noted.append(
            StoredRow(
                run=run,
                number=row.number,
                line=row.line,
                job_id=job_id(run, row.number),
                request=codec.dump_request(row.request),
                # Its whole numbers may be larger than orjson takes.
                own=json.dumps(row.own).encode() if row.own else None,
            )
        )
        if len(noted) % _CHUNK == 0:
            await asyncio.sleep(0)
    if not noted:
        raise ConfigurationError(f"{name}: there is no row to run; {left_out} have errors or were run before")
    values = orjson.dumps({**(info or {}), "rows": len(noted)})
    await store.add_run(StoredRun(id=run, name=name, command=command, started_at=now.timestamp(), info=values), noted)
    return run


async def _free_id(store: RunStore, now: datetime) -> str:
    while await store.run(run := new_run_id(now)) is not None:
        pass
    return run
