"""Both typed clients are called alike: the one id that a call is about goes first, everything else has its name."""

from __future__ import annotations

import inspect

import pytest

from reelpub import ReapClient, ReelMirrorClient

CALLS = [
    pytest.param(getattr(kind, name), id=f"{kind.__name__}.{name}")
    for kind in (ReelMirrorClient, ReapClient)
    for name, method in inspect.getmembers(kind, inspect.isfunction)
    if "options" in inspect.signature(method).parameters and not name.startswith("_")
]


@pytest.mark.parametrize("call", CALLS)
def test_the_one_id_goes_first_and_options_by_name(call):
    parameters = inspect.signature(call).parameters
    ids = [one for one in parameters.values() if one.name.endswith("_id") and one.default is one.empty]
    # What is made out of something isn't about it.
    if len(ids) == 1 and not call.__name__.startswith(("create_", "upload_")):
        assert list(parameters.values())[1] is ids[0]
        assert ids[0].kind is ids[0].POSITIONAL_OR_KEYWORD
    assert parameters["options"].kind is inspect.Parameter.KEYWORD_ONLY


def test_there_are_calls_of_both():
    assert len(CALLS) > 60
