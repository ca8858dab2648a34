"""The options that are typed for checkers are those that there are."""

from __future__ import annotations

import inspect

import pytest

from reelpub import Orchestrator, ReapClient, ReelMirrorClient
from reelpub.orchestrator.options import OrchestratorOptions
from reelpub.providers.options import ClientOptions, EnvironmentOptions


def parameters(function):
    return {name for name, one in inspect.signature(function).parameters.items() if one.kind is not one.VAR_KEYWORD}


@pytest.mark.parametrize("kind", [ReelMirrorClient, ReapClient])
def test_a_clients_options_are_its_constructors(kind):
    given = {"api_key", "base_url", "clock"}
    assert parameters(kind) - given == set(ClientOptions.__annotations__)
    assert parameters(kind.from_env) == given
    assert set(EnvironmentOptions.__annotations__) == set(ClientOptions.__annotations__) | given - {"clock"}


def test_an_orchestrators_options_are_its_constructors():
    assert parameters(Orchestrator) - {"publishers", "clock"} == set(OrchestratorOptions.__annotations__)
