"""The one converter for Reap's wire: camelCase names, strict scalars, open enums."""

from __future__ import annotations

from typing import Final

from cattrs import Converter

from reelpub.providers.structure import camel_case, make_converter

__all__ = ["CONVERTER"]

CONVERTER: Final[Converter] = make_converter(wire_name=camel_case)
