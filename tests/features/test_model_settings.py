"""[model] and [[definitions]]: what they may say, how their mistakes are told, and that they are data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from features.definitions import (
    ALL,
    Called,
    CountWithin,
    DecayedCount,
    LastCategory,
    Selector,
    SumWithin,
    Trend,
)
from features.errors import UsageError
from features.kinds import KINDS_BY_WORD, MADE_BY_A_TOML
from features.model_settings import NOTHING_SAID, ModelSettings, SampleWeights
from features.toml_lines import key_lines
from features.workspace import load_workspace

DAY = 86_400_000_000
BARE = '[tables]\nleads = "l.csv"\noutcomes = "o.csv"\n[target]\nconverted = "won"\nhorizon = "90d"\n'
EXAMPLE = (Path(__file__).parents[2] / "docs" / "model.toml").read_text(encoding="utf-8")


def settings(folder: Path, text: str) -> ModelSettings:
    (folder / "propensity.toml").write_text(BARE + text, encoding="utf-8")
    return load_workspace(folder).model


def problems(folder: Path, text: str) -> list[str]:
    """Each problem as one line, the line counted from the first of `text`."""
    (folder / "propensity.toml").write_text(BARE.replace("\n", "#\n") + text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        load_workspace(folder)
    found = [" | ".join(filter(None, [p.where, p.found, p.expected, p.next_step])) for p in error.value.problems]
    offset = BARE.count("\n")
    return [
        each.replace(f"propensity.toml line {number}", f"line {number - offset}", 1)
        for each in found
        for number in [int(each.split("line ")[1].split(" ")[0])]
    ]


def test_silence_is_nothing_said(tmp_path: Path) -> None:
    assert settings(tmp_path, "") == NOTHING_SAID
    assert not NOTHING_SAID
    assert NOTHING_SAID.to_json() == {}
    assert ModelSettings.from_json({}) == NOTHING_SAID


def test_everything_that_can_be_said_is_read(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
[attributes]
company_size = { group = "firmographic" }
[model]
monotone = { pricing_page_viewed = "up", age = "down" }
groups = ["fit"]
leave_out = ["firmographic"]
[model.weights]
half_life = "365d"
attributes.company_size = { "501+" = 2 }
events = { call_booked = 1.5, demo = { "1" = 1.2, "3" = 2 } }
definitions.lately = { "10" = 3 }
[[definitions]]
kind = "count"
name = "lately"
where = { event_type = "page" }
window = "10d"
en = "pages lately"
ja = "最近の閲覧"
[[definitions]]
kind = "trend"
short = "1d"
long = "1w"
[[definitions]]
kind = "last_category"
column = "channel"
nth = 2
""",
    )
    assert found == ModelSettings(
        monotone={"pricing_page_viewed": 1, "age": -1},
        groups=("fit",),
        leave_out=("firmographic",),
        weights=SampleWeights(
            365 * DAY,
            {"company_size": {"501+": 2.0}},
            {"call_booked": {"1": 1.5}, "demo": {"1": 1.2, "3": 2.0}},
            {"lately": {"10": 3.0}},
        ),
        definitions=(
            CountWithin(
                Selector("event_type", "page"), 10 * DAY, called=Called("lately", "pages lately", "最近の閲覧")
            ),
            Trend(ALL, DAY, 7 * DAY),
            LastCategory("channel", 2, ()),
        ),
        attribute_groups={"company_size": "firmographic"},
    )
    assert ModelSettings.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_example_reads_and_uses_every_key_and_kind_it_explains(tmp_path: Path) -> None:
    found = settings(tmp_path, EXAMPLE)
    assert found.groups
    assert found.leave_out
    assert set(found.monotone.values()) == {1, -1}
    assert all([found.weights.half_life, found.weights.attributes, found.weights.events, found.weights.definitions])
    assert {type(each) for each in found.definitions} >= {CountWithin, DecayedCount, SumWithin}
    for word in KINDS_BY_WORD:
        assert word in EXAMPLE, f"{word} is explained nowhere"
    for kind in KINDS_BY_WORD.values():
        for field in (*kind.needs, *kind.may):
            assert f"{field} = " in EXAMPLE, f"{field} has no example"


@pytest.mark.parametrize("word", MADE_BY_A_TOML)
def test_every_kind_can_be_made_with_the_least_it_needs(tmp_path: Path, word: str) -> None:
    kind = KINDS_BY_WORD[word]
    values = {"column": "value", "short": "1d", "long": "2d", "half_life": "1d", "window": "3d", "nth": "1"}
    lines = "".join(f"{name} = {json.dumps(values[name])}\n" for name in kind.needs)
    (made,) = settings(tmp_path, f'[[definitions]]\nkind = "{word}"\n{lines}').definitions
    assert type(made) is kind.definition


def test_mistakes_in_definitions_are_told_with_their_lines(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        """[[definitions]]
kind = "counts"

[[definitions]]
name = "a"
where = { event_type = "x" }

[[definitions]]
kind = "trend"
name = "b"
short = "7d"

[[definitions]]
kind = "trend"
short = "7d"
long = "1d"

[[definitions]]
kind = "count"
windows = "7d"
en = "x"

[[definitions]]
kind = "count"
name = "any"
where = { event_type = "x", stage = "decision" }
window = 7

[[definitions]]
kind = "last_category"
column = "channel"
nth = 9
[definitions.where]
stage = "decision"
""",
    ) == [
        'line 2 | kind "counts" | one of count, days, sessions, share, decayed, trend, since_last, since_first, mean_gap, '
        'last_gap, sum, mean, max, last_number, last_category, distinct | did you mean "count"?',
        'line 4 | no "kind" in [definitions] | kind = "..." | add it',
        'line 8 | no "long" in [definitions] | long = "..." | add it',
        "line 13 | the short window of a trend must be positive and shorter than the long one | a definition that can be "
        "computed",
        'line 18 | words without a name | name = "..." beside en and ja: by it the definition is a reason of its own | add a '
        "name, or take the words out",
        'line 20 | unknown key "definitions.windows" | one of kind, where, window, name, en, ja | did you mean "window"?',
        'line 25 | name "any" | up to 60 letters, digits and _, other than any and created',
        "line 26 | where names 2 columns | one, and its value: { event_type = "
        '"pricing_page_viewed" } or { stage = "decision" }',
        'line 27 | "definitions.window" is a number | a text in quotes',
        "line 32 | nth 9 | 1 for the last event, up to 3",
        'line 33 | unknown key "definitions.where" | one of kind, column, nth, name, en, ja',
    ]


def test_the_same_thing_twice_and_one_name_twice_are_refused(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '[[definitions]]\nkind = "count"\nname = "a"\n[[definitions]]\nkind = "count"\nname = "b"\n'
        '[[definitions]]\nkind = "count"\nwindow = "1d"\nname = "a"\n',
    )
    assert found == [
        'line 4 | the same as "a" | each computed once | take one out',
        'line 10 | a second definition "a" | a name of its own',
    ]


def test_mistakes_in_the_model_are_told_with_their_lines(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        """[model]
groups = []
leave_out = "fit"
monoton = { age = "up" }
[model.monotone]
age = "upwards"
[model.weights]
half_life = "long"
attributes.size = 2
events.call = -1
events.demo = { "1" = 5000 }
""",
    ) == [
        'line 2 | groups is empty | names, such as ["fit"] or ["trend"] | take it out',
        'line 3 | "model.leave_out" is a text | a list of texts, such as ["a", "b"]',
        'line 4 | unknown key "model.monoton" | one of monotone, groups, leave_out, weights | did you mean "monotone"?',
        'line 6 | age "upwards" | one of up, down',
        'line 8 | \'long\' is no duration | a whole number and a unit of s, m (minutes), h, d or w, such as "90d" or "3h"',
        'line 9 | "model.weights.attributes.size" gives no weights by value | weights by value, such as { "1000+" = 2 }; of '
        'a number { "1000" = 2 }: from there on',
        "line 10 | weight -1 | 0.001 to 1,000; what is not named weighs 1",
        "line 11 | weight 5000 | 0.001 to 1,000; what is not named weighs 1",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("definitions = 3\n", '"definitions" is a number'),
        ("definitions = [1]\n", '"definitions" holds something else than tables'),
        ("[definitions]\nkind = 'count'\n", '"definitions" is a table'),
    ],
)
def test_definitions_are_an_array_of_tables(tmp_path: Path, text: str, said: str) -> None:
    text = text if text.startswith("[") else text + BARE
    (tmp_path / "propensity.toml").write_text(text if BARE in text else BARE + text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"each below a line \[\[definitions\]\]") as error:
        load_workspace(tmp_path)
    assert said in str(error.value)


def test_each_table_of_an_array_has_its_lines() -> None:
    lines = key_lines("[[a]]\nx = 1\n[[a]]\n[a.b]\nx = 2\n[[a.c]]\nx = 3\n[[a.c]]\nx = 4\n[d]\nx = 5\n")
    assert lines[("a", "[0]", "x")] == 2
    assert lines[("a", "[1]")] == 3
    assert lines[("a", "[1]", "b", "x")] == 5
    assert [lines[("a", "[1]", "c", f"[{i}]", "x")] for i in (0, 1)] == [7, 9]
    assert lines[("a",)] == 1
    assert lines[("d", "x")] == 11
