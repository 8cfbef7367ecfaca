"""propensity.toml: what it may say, and how its mistakes are told, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.durations import read_duration
from features.errors import UsageError
from features.instants import read_instant
from features.moments import Schedule
from features.toml_lines import key_lines
from features.workspace import AttributeSettings, EventSettings, load_workspace

HOUR, DAY = 3_600_000_000, 86_400_000_000
BARE = '[tables]\nleads = "l.csv"\noutcomes = "o.csv"\n[target]\nconverted = "won"\nhorizon = "90d"\n'


STORED = '[tables]\nstore = "sqlite:///data/leads.db"\n[target]\nconverted = "won"\nhorizon = "90d"\n'


def load(folder: Path, text: str) -> object:
    (folder / "propensity.toml").write_text(text, encoding="utf-8")
    return load_workspace(folder)


def problems(folder: Path, text: str) -> list[str]:
    """Each problem as one line."""
    with pytest.raises(UsageError) as error:
        load(folder, text)
    assert error.value.exit_code == 2
    return [" | ".join(filter(None, [p.where, p.found, p.expected, p.next_step])) for p in error.value.problems]


def test_tables_and_target_are_enough(tmp_path: Path) -> None:
    workspace = load_workspace_of(tmp_path, BARE)
    assert workspace.name == tmp_path.name
    assert workspace.zone == "UTC"
    assert workspace.tables == {"leads": "l.csv", "outcomes": "o.csv"}
    assert workspace.horizon == 90 * DAY
    assert workspace.data_end is None
    assert workspace.schedule is None
    assert workspace.state_folder == tmp_path / ".propensity"
    assert workspace.rejected_folder == tmp_path / "rejected"


@pytest.mark.parametrize("address", ["sqlite:///data/leads.db", "sqlite:////var/leads.db", "postgresql://me@db/leads"])
def test_with_a_store_files_are_optional(tmp_path: Path, address: str) -> None:
    workspace = load_workspace_of(tmp_path, STORED.replace("sqlite:///data/leads.db", address))
    assert workspace.store == address
    assert workspace.tables == {}


def test_with_a_store_files_are_what_fills_it(tmp_path: Path) -> None:
    workspace = load_workspace_of(tmp_path, STORED.replace("[target]", 'leads = "l.csv"\nevents = "e.csv"\n[target]'))
    assert workspace.store == "sqlite:///data/leads.db"
    assert workspace.tables == {"leads": "l.csv", "events": "e.csv"}


def test_without_a_store_the_tables_are_files(tmp_path: Path) -> None:
    assert load_workspace_of(tmp_path, BARE).store is None


def test_the_password_of_a_wrong_address_is_not_shown(tmp_path: Path) -> None:
    found = problems(tmp_path, STORED.replace("sqlite:///data/leads.db", "oracle://me:sesame@db/leads"))
    assert not any("sesame" in line for line in found)


def load_workspace_of(folder: Path, text: str):  # type: ignore[no-untyped-def]
    (folder / "propensity.toml").write_text(text, encoding="utf-8")
    return load_workspace(folder)


def test_everything_that_can_be_said_is_read(tmp_path: Path) -> None:
    workspace = load_workspace_of(
        tmp_path,
        """
[workspace]
name = "b2b"
timezone = "Asia/Tokyo"
[tables]
leads = "leads.parquet"
events = "events/*.csv"
outcomes = "outcomes.parquet"
attributes = "attributes.parquet"
[target]
converted = "converted"
horizon = "3h"
data_end = 2026-03-14T00:00:00
[moments]
every = "1w"
until = "180d"
[attributes]
ignore = ["internal_note"]
trust = { duration = "known before the call" }
company_size = { group = "firmographic", points = { "1000+" = 15 }, en = "company size", ja = "従業員規模" }
"業種" = { points = 3 }
[page]
name = "contact_name"
link = "https://crm.example/{lead_id}"
[events]
pricing_page_viewed = { stage = "decision", points = 10, en = "viewed the pricing page", ja = "価格ページを閲覧" }
""",
    )
    assert workspace.name == "b2b"
    assert workspace.horizon == 3 * HOUR
    assert workspace.data_end == read_instant("2026-03-13T15:00:00Z", "UTC")
    assert workspace.schedule == Schedule(every=7 * DAY, until=180 * DAY)
    assert workspace.ignore == ("internal_note",)
    assert workspace.trust == {"duration": "known before the call"}
    assert workspace.attributes == {
        "company_size": AttributeSettings("firmographic", {"1000+": 15.0}, "company size", "従業員規模"),
        "業種": AttributeSettings(points=3.0),
    }
    assert workspace.events == {
        "pricing_page_viewed": EventSettings("decision", 10.0, "viewed the pricing page", "価格ページを閲覧")
    }
    assert workspace.page == {"name": "contact_name", "link": "https://crm.example/{lead_id}"}


@pytest.mark.parametrize(
    ("told", "instant"),
    [
        ("2026-03-14T00:00:00Z", "2026-03-14T00:00:00+00:00"),
        ("2026-03-14T00:00:00+09:00", "2026-03-13T15:00:00+00:00"),
        ('"2026-03-14T00:00:00Z"', "2026-03-14T00:00:00+00:00"),
        ('"2026-03-14 00:00"', "2026-03-14T00:00:00+00:00"),
        ("2026-03-14", "2026-03-14T00:00:00+00:00"),
    ],
)
def test_data_end_may_be_a_time_a_day_or_a_text(tmp_path: Path, told: str, instant: str) -> None:
    assert load_workspace_of(tmp_path, BARE + f"data_end = {told}\n").data_end == read_instant(instant, "UTC")


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """[workspace]
name = 7
timezone = "Asia/Tokio"

[tables]
lead = "leads.csv"
outcomes = 3

[target]
converted = ""
horizon = "90 days"
data_end = "soon"

[moments]
after_creation = ["1d", "x"]
every = "7d"

[attributes]
size = { grupp = "firmographic" }
sector = { group = "engagement", points = "many" }

[events]
page = { stage = "decison" }

[pages]
name = "x"
""",
    )
    assert [line.split(" | ")[0] for line in found] == sorted(
        (line.split(" | ")[0] for line in found), key=lambda where: int(where.rpartition(" ")[2])
    )
    told = "\n".join(found)
    for part in (
        'line 2 | "workspace.name" is a number | a text in quotes',
        'line 3 | unknown timezone "Asia/Tokio" | an IANA name, such as "Asia/Tokyo"',
        'line 6 | unknown key "tables.lead" | one of leads, events, outcomes, attributes, store | did you mean "leads"?',
        'line 5 | no "leads" in [tables]',
        'line 7 | "tables.outcomes" is a number',
        'line 10 | "target.converted" is empty',
        "line 11 | '90 days' is no duration",
        "line 12 | data_end 'soon' is no time",
        "line 15 | 'x' is no duration",
        "line 16 | both after_creation and every",
        'line 19 | unknown key "attributes.size.grupp" | one of group, points, en, ja | did you mean "group"?',
        'line 20 | group "engagement"',
        'line 20 | "attributes.sector.points" is a text',
        'line 23 | stage "decison" | one of awareness, interest, decision, action | did you mean "decision"?',
        'line 25 | unknown key "pages"',
    ):
        assert part in told
    assert len(found) == 15


def text_without(line: str) -> str:
    return "".join(each + "\n" for each in BARE.splitlines() if not each.startswith(line))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no [tables]"),
        ("", "no [target]"),
        (text_without("leads"), 'propensity.toml line 1 | no "leads" in [tables]'),
        (text_without("outcomes"), 'no "outcomes" in [tables]'),
        (text_without("converted"), 'propensity.toml line 4 | no "converted" in [target]'),
        (text_without("horizon"), 'no "horizon" in [target]'),
        (BARE.replace("90d", "0d"), "'0d' is not longer than nothing"),
        (BARE.replace("90d", "999999999d"), "longer than a hundred years"),
        (BARE + '[moments]\nuntil = "9d"\n', "until without every"),
        (BARE + "[moments]\nafter_creation = []\n", "after_creation is empty"),
        (BARE + '[moments]\nafter_creation = "1d"\n', '"moments.after_creation" is a text | a list of texts'),
        (BARE + "[moments]\nafter_creation = [1]\n", '"moments.after_creation" holds something else than texts'),
        (BARE + "data_end = true\n", "data_end True is no time"),
        (BARE + "data_end = 0001-01-01T00:00:00+09:00\n", "is no time"),
        (BARE + "attributes = 3\n", 'unknown key "target.attributes"'),
        (BARE + '[attributes]\nignore = "x"\n', '"attributes.ignore" is a text'),
        (BARE + '[attributes]\ntrust = ["x"]\n', '"attributes.trust" is a list | a table'),
        (BARE + '[attributes]\nsize = "firmographic"\n', '"attributes.size" is a text | a table'),
        (BARE + "[events]\nx = { points = true }\n", '"events.x.points" is true or false | a number'),
        (BARE + "[events]\nx = { points = inf }\n", '"events.x.points" is inf'),
        (BARE + '[page]\nlink = "javascript:alert(1)//{lead_id}"\n', "link leads elsewhere than to a web page"),
        (BARE + '[page]\nlink = "https://crm.example/"\n', "link has no {lead_id}"),
        (BARE + '[page]\nphone = "x"\n', 'unknown key "page.phone"'),
        ('[workspace]\nname = "a/b"\n' + BARE, 'name "a/b"'),
        ('workspace = "b2b"\n' + BARE, '"workspace" is a text | a table'),
        (
            STORED.replace("sqlite:///data/leads.db", "data/leads.db"),
            "line 2 | the store's address is of no known kind",
        ),
        (STORED.replace("sqlite:///data/leads.db", "sqlite:///:memory:"), "the store's address is of no known kind"),
        (
            STORED.replace("sqlite:///data/leads.db", "mysql://x/y"),
            '"sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"',
        ),
        (STORED.replace('"sqlite:///data/leads.db"', "3"), '"tables.store" is a number | a text in quotes'),
        (STORED.replace("sqlite:///data/leads.db", ""), '"tables.store" is empty'),
        (STORED + "leads = 3\n", 'unknown key "target.leads"'),
    ],
)
def test_each_mistake_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in line for line in problems(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (BARE.replace('"won"', "won"), 5),
        (BARE + "\n[events]\n価格 = 3\n", 9),
        (BARE + '[target]\nhorizon = "1d"\n', 7),
        (BARE.replace('"l.csv"', '"l.csv'), 2),
        (BARE + '[events]\nx = """open\n', 9),
    ],
)
def test_a_fault_in_the_toml_itself_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"propensity.toml line {line} |")


def test_a_missing_folder_file_or_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file .*propensity\.toml"):
        load_workspace(tmp_path / "nowhere")
    (tmp_path / "propensity.toml").write_bytes(BARE.replace("won", "受注").encode("cp932"))
    with pytest.raises(UsageError, match="not UTF-8"):
        load_workspace(tmp_path)
    (tmp_path / "propensity.toml").write_bytes(b"\xef\xbb\xbf" + BARE.replace("\n", "\r\n").encode())
    assert load_workspace(tmp_path).converted == "won"


def test_lines_are_found_in_headers_dotted_and_quoted_keys_and_past_long_texts() -> None:
    text = 'a.b = 1\n["x y".z] # note\n"k=\\u00e9" = """\nnot = 1\n"""\nlast = [\n  1,\n]\n'
    assert key_lines(text) == {("a", "b"): 1, ("x y", "z"): 2, ("x y", "z", "k=é"): 3, ("x y", "z", "last"): 6}


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90d", 90 * DAY), ("3h", 3 * HOUR), ("30m", HOUR // 2), ("45s", 45_000_000), (" 2 w ", 14 * DAY)],
)
def test_durations_have_a_unit(text: str, duration: int) -> None:
    assert read_duration(text) == duration


def test_a_local_time_that_comes_twice_or_never_is_read_as_before_the_change() -> None:
    zone = "America/New_York"
    assert read_instant("2026-11-01 01:30", zone) == read_instant("2026-11-01T05:30:00Z", "UTC")
    assert read_instant("2026-03-08 02:30", zone) == read_instant("2026-03-08T07:30:00Z", "UTC")
