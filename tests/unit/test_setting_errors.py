"""Wrong settings are told when they are made: one kind of error with the name, the value and what would be right."""

from __future__ import annotations

import math

import pytest

from reelpub import ConfigurationError, ProviderLimits, RetryPolicy
from reelpub.models.capability import TextLimit

NOT_NEGATIVE = "has to be a number, 0 or more"
ABOVE_ZERO = "has to be a finite number above 0"
AT_LEAST_ONE = "has to be a whole number of at least 1"
COUNT = "has to be a whole number, 0 or more"

WRONG = [
    *[(RetryPolicy, "attempts", value, AT_LEAST_ONE) for value in (0, -1, 2.5, True, "4", None)],
    *[(RetryPolicy, "rate_attempts", value, AT_LEAST_ONE) for value in (0, 1.0)],
    *[(RetryPolicy, name, value, NOT_NEGATIVE) for name in ("base", "cap") for value in (-1, math.nan, "1", None)],
    *[(RetryPolicy, "outage_patience", value, NOT_NEGATIVE) for value in (-0.1, False)],
    *[(RetryPolicy, "max_server_delay", value, "has to be a number above 0") for value in (0, -1, math.nan, "1")],
    *[(ProviderLimits, "requests", value, AT_LEAST_ONE) for value in (0, -1, 1.5, True, "60", None)],
    *[(ProviderLimits, "window", value, ABOVE_ZERO) for value in (0, -1, math.inf, math.nan, "60", None)],
    *[(ProviderLimits, name, 0, AT_LEAST_ONE) for name in ("schedule_batch", "page_size")],
    *[(ProviderLimits, name, -1, NOT_NEGATIVE) for name in ("schedule_min_lead", "schedule_min_interval")],
    (ProviderLimits, "schedule_max_lead", -1, NOT_NEGATIVE),
    *[(ProviderLimits, "max_tags", value, COUNT) for value in (-1, 1.5, True)],
    *[(TextLimit, "maximum", value, COUNT) for value in (-1, 2.5, "80")],
]
NEEDED = {ProviderLimits: {"requests": 60}, TextLimit: {"maximum": 80}, RetryPolicy: {}}


@pytest.mark.parametrize(("kind", "name", "value", "right"), WRONG)
def test_a_wrong_setting_is_told_with_its_name_its_value_and_what_would_be_right(kind, name, value, right):
    with pytest.raises(ConfigurationError) as caught:
        kind(**{**NEEDED[kind], name: value})

    assert str(caught.value) == f"{name}: {value!r} {right}"


@pytest.mark.parametrize(("kind", "wrong"), [(RetryPolicy, {"attempts": 0}), (ProviderLimits, {"requests": 0})])
def test_it_can_be_caught_as_pythons_own_error_too(kind, wrong):
    with pytest.raises(ValueError, match="has to be"):
        kind(**wrong)


def test_the_least_and_the_most_of_each_are_allowed():
    RetryPolicy(attempts=1, base=0, cap=math.inf, max_server_delay=math.inf, rate_attempts=1, outage_patience=math.inf)
    ProviderLimits(requests=1, window=0.1, max_tags=0, schedule_min_lead=0, schedule_max_lead=0, schedule_batch=1)
    ProviderLimits(requests=1, max_tags=None, schedule_max_lead=None, title=TextLimit(maximum=0))
