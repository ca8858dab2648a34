"""What a new studio holds: the seeded accounts, projects and clips."""

from __future__ import annotations

from reelpub.sandbox import seed
from reelpub.sandbox.reap.projects import DEFAULT_OPTIONS, add_clips
from reelpub.sandbox.reap.records import Integration, Project
from reelpub.sandbox.reap.state import Studio

__all__ = ["PLANTED_AT", "add_account", "plant"]

PLANTED_AT = 1_700_000_000.0
"""Unix time (November 2023) at which everything seeded was made."""


def plant(studio: Studio) -> None:
    """Put the seeds in: accounts, three completed projects, one that never finishes, one that was cancelled."""
    for account in seed.REAP_ACCOUNTS:
        add_account(studio, account)
    clip_ids = [f"demo-clip-{number}" for number in range(1, seed.CLIPS_PER_PROJECT + 1)]
    for number, project_id in enumerate(seed.REAP_PROJECTS, start=1):
        project = _project(studio, project_id, f"Demo project {number}", "completed")
        add_clips(studio, project, clip_ids, PLANTED_AT)
    _project(studio, seed.REAP_PROJECT_UNFINISHED, "Demo project, unfinished", "processing")
    _project(studio, seed.REAP_PROJECT_CANCELLED, "Demo project, cancelled", "cancelled")


def add_account(studio: Studio, account: seed.AccountSeed) -> None:
    """Connect *account*, or replace the one with its id."""
    studio.integrations[account.id] = Integration(
        id=account.id,
        platform=account.platform,
        username=account.username,
        name=account.username.replace("_", " ").title(),
        is_active=account.is_active,
    )


def _project(studio: Studio, project_id: str, title: str, status: str) -> Project:
    project = Project(
        id=project_id,
        number=studio.next_number(),
        title=title,
        kind="clipping",
        source="Upload",
        status=status,
        created_at=PLANTED_AT,
        updated_at=PLANTED_AT,
        duration=1800.0,
        options=dict(DEFAULT_OPTIONS) | {"exportOrientation": "portrait"},
        started_at=PLANTED_AT,
    )
    studio.projects[project_id] = project
    return project
