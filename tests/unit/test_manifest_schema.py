"""One table of columns: the schema, the shipped file, the examples, the docs and the models all agree with it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from allpairspy import AllPairs
from attrs import fields
from click.testing import CliRunner

from reelpub import PublishRequest
from reelpub.cli.commands.schema import schema as command
from reelpub.manifest import read_manifest
from reelpub.manifest.columns import COLUMNS, SETTINGS, Kind, canonical, find
from reelpub.manifest.examples import EXAMPLE_FORMATS, example
from reelpub.manifest.schema import as_json, row_schema, shipped_schema

DOCS = Path(__file__).parents[2] / "docs" / "manifest.md"
VALIDATOR = jsonschema.Draft202012Validator(row_schema())
DAY = date(2027, 3, 30)


def read(text, form, **options):
    return list(read_manifest(io.BytesIO(text.encode()), format=form, **options))


def is_sound(row):
    (found,) = read(json.dumps(row) + "\n", "jsonl", zone="UTC")
    return found.is_sound


class TestTable:
    def test_every_typed_setting_has_its_column(self):
        expected = {
            f"{platform}.{member.name}": Kind.NAME if member.name == "privacy" else Kind.FLAG
            for platform, kind in SETTINGS.items()
            for member in fields(kind)
        }
        assert {column.name: column.kind for column in COLUMNS if "." in column.name} == expected

    def test_every_member_of_a_request_has_its_column(self):
        elsewhere = {"source"}
        assert {member.name for member in fields(PublishRequest)} - elsewhere <= {column.name for column in COLUMNS}

    def test_names_are_known_as_they_are_written(self):
        for column in COLUMNS:
            assert find(column.name) is column
            assert canonical(column.name.upper()) == column.name
            assert canonical(f" {column.name.replace('_', ' ')} ") == column.name

    def test_every_column_has_a_sentence_and_all_but_results_an_example(self):
        for column in COLUMNS:
            assert column.doc.endswith(".")
            assert bool(column.example) != column.is_result

    def test_the_word_that_decides_what_runs_again_says_all_that_it_decides(self):
        said = find("result_status").doc
        for word in ("failed", "refused", "partly published", "result_retry_accounts", "skipped", "duplicate"):
            assert word in said
        assert "unless allow_duplicate is yes" in said

    @pytest.mark.parametrize("column", [column for column in COLUMNS if column.example], ids=lambda column: column.name)
    def test_every_example_can_be_read(self, column):
        values = {"clip": "p/c", "zone": "UTC", column.name: column.example}
        if column.name in ("generated_post", "media_items", "draft"):
            del values["clip"]
        if column.name == "persona":
            values = {"media_items": "m", "persona": column.example}
        cells = ['"' + value.replace('"', '""') + '"' for value in values.values()]
        (row,) = read(",".join(values) + "\n" + ",".join(cells) + "\n", "csv")
        assert row.is_sound, row.problems

    def test_the_docs_have_the_table(self):
        rows = re.findall(
            r"^\| `([^`]+)` \| ([^|]+) \| (.+?) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE
        )
        documented = [row for row in rows if find(row[0])]
        assert documented == [
            (column.name, column.kind.value, column.doc, f"`{column.example}`" if column.example else "")
            for column in COLUMNS
        ]


def test_the_package_is_read_without_what_comes_with_extras():
    code = (
        "import sys, reelpub.manifest, reelpub.manifest.schema; "
        "sys.exit(any(name in sys.modules for name in ('yaml', 'jsonschema', 'click', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestSchema:
    def test_the_shipped_file_is_what_the_table_gives(self):
        """If not: `reelpub.manifest.schema.as_json(row_schema())` is what belongs into the file."""
        assert shipped_schema() == as_json(row_schema())

    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(json.loads(shipped_schema()))

    def test_the_examples_are_valid(self):
        for line in example("jsonl", DAY).splitlines():
            VALIDATOR.validate(json.loads(line))
        document = yaml.load(example("yaml", DAY), Loader=yaml.BaseLoader)
        assert len(document["posts"]) == 4

    GOOD_AND_BAD = (
        # column, a value that is right, and wrong ones
        ("caption", "Hi", 7, ["Hi"], {}),
        ("title", "", True),
        ("tags", ["a"], "a", [""], [1], {}),
        ("accounts", ["tiktok:acme"], "tiktok:acme", [None]),
        ("at", "2027-06-01 14:30", "2027-06-01", "03/04/2027", 46474.6, ""),
        ("gap", "later", "sometime", 1),
        ("fold", "first", "third"),
        ("publisher", "reap", "", 3),
        ("reference", "r", 1.5),
        ("allow_duplicate", True, "yes", 1),
        ("approve", False, "no"),
        (
            "settings",
            {"tiktok": {"privacy": "x"}, "y": {}},
            [],
            {"tiktok": {"privasy": 1}},
            {"tiktok": {"disable_duet": 1}},
        ),
        ("raw_settings", {"youtube": {"a": 1}}, {"youtube": 1}, "x"),
        ("instagram.share_to_feed", True, "x"),
        ("linkedin.privacy", "public", 1, ""),
        ("pin.board", {"any": 1}),
        ("_mine", object, 1),
        ("captoin", None),
        ("zone", None, 5, ""),
        ("result_status", "failed", "done"),
    )

    @pytest.mark.parametrize("index", range(3))
    def test_it_takes_and_refuses_what_the_reader_does(self, index):
        """Every pair of columns, right and wrong, in both."""
        choices = [[(name, "left out"), *((name, value) for value in values)] for name, *values in self.GOOD_AND_BAD]
        source = [{"clip": "p/c"}, {"media_items": ["m", {"id": "n"}], "persona": "pe"}, {"draft": "d", "clip": None}][
            index
        ]
        count = 0
        for pairs in AllPairs(choices):
            row = source | {name: value for name, value in pairs if value != "left out" and value is not object}
            assert VALIDATOR.is_valid(row) == is_sound(row), row
            count += 1
        assert count > 25

    @pytest.mark.parametrize("name", [column.name for column in COLUMNS if not column.is_result])
    def test_each_column_alone_is_judged_alike(self, name):
        source = {} if name in ("clip", "draft", "generated_post", "media_items") else {"clip": "p/c"}
        values = [None, "", " ", "x", "p/c", 1, True, [], ["x"], [1], [""], {}, {"tiktok": {}}, {"x": 1}, {"id": "m"}]
        for value in [*values, {"project": "p", "clip": "c"}, [{"id": "m"}], "2027-06-01T14:30Z", "UTC"]:
            if name == "zone" and value in ("x", "p/c", "2027-06-01T14:30Z"):
                continue  # which zones there are isn't the schema's to know
            row = {**source, name: value}
            assert VALIDATOR.is_valid(row) == is_sound(row), row

    @pytest.mark.parametrize(
        "row",
        [
            {},
            {"clip": "p/c", "draft": "d"},
            {"clip": None},
            {"clip": "p/c", "approve": True},
            {"clip": "p/c", "persona": "pe"},
            {"clip": "p/c", "at": "2027-06-01T14:30Z", "zone": "UTC"},
            {"media_items": ["m"], "generated_post": "g", "draft": None},
            {"clip": "p/c", "tiktok.privasy": "x"},
        ],
    )
    def test_what_goes_together_is_judged_alike(self, row):
        assert not VALIDATOR.is_valid(row)
        assert not is_sound(row)

    def test_what_may_go_together_does(self):
        for row in (
            {"generated_post": "g", "approve": True},
            {"media_items": ["m"], "persona": "pe", "clip": None},
            {"clip": "p/c", "at": "2027-06-01 14:30", "zone": "UTC"},
        ):
            assert VALIDATOR.is_valid(row)
            assert is_sound(row)


class TestExamples:
    @pytest.mark.parametrize("form", EXAMPLE_FORMATS)
    def test_all_ask_for_the_same(self, form):
        rows = read(example(form, DAY), form)
        assert [row.request for row in rows] == [row.request for row in read(example("csv", DAY), "csv")]
        assert len(rows) == 4
        assert all(row.is_sound and not row.problems for row in rows), [row.problems for row in rows]

    @pytest.mark.parametrize("form", EXAMPLE_FORMATS)
    def test_the_command_prints_one(self, form):
        ended = CliRunner().invoke(command, ["--example", form], obj=None, standalone_mode=False)
        assert ended.exit_code == 0, ended.output
        assert all(row.is_sound for row in read(ended.stdout_bytes.decode(), form))

    def test_the_command_prints_the_schema(self):
        ended = CliRunner().invoke(command, [], standalone_mode=False)
        assert json.loads(ended.output) == row_schema()

    def test_blocks_of_the_docs_are_manifests(self):
        found = re.findall(
            r"^```(csv|jsonl|yaml)\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        assert {form for form, _ in found} == set(EXAMPLE_FORMATS)
        for form, text in found:
            rows = read(text, form, zone="Europe/Oslo")
            assert rows
            assert all(row.is_sound for row in rows), (text, [row.problems for row in rows])
