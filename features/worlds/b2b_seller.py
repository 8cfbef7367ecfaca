"""The simulated seller of software, as data: event kinds, attributes, and the numbers of the hidden chain."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from features.worlds.b2b_chain import DAY, HOUR, WEEK_HOURS, Chain, Floats, WeekCurves

# 2024-09-30T00:00Z, a Monday: hour 0 of the week curves.
MONDAY = 1_727_654_400_000_000
BEGINS = MONDAY + DAY
DATA_END = BEGINS + 457 * DAY
DATA_END_TOML = "2026-01-01T00:00:00Z"
HORIZON_DAYS = 60
MOMENT_DAYS = (1, 7, 30)

INTENTS = ("outsider", "idle", "curious", "evaluating", "deciding")
ACTIVITIES = ("quiet", "active")


@dataclass(frozen=True)
class EventKind:
    """One kind of event, with its words for the toml."""

    name: str
    channel: str
    stage: str | None
    points: int
    en: str
    ja: str


# fmt: off
KINDS: tuple[EventKind, ...] = (
    EventKind("page_viewed", "web", "awareness", 1, "viewed a page", "ページを閲覧"),
    EventKind("blog_read", "web", "awareness", 1, "read the blog", "ブログを閲覧"),
    EventKind("docs_viewed", "web", "interest", 3, "read the documentation", "ドキュメントを閲覧"),
    EventKind("pricing_page_viewed", "web", "decision", 10, "viewed the pricing page", "価格ページを閲覧"),
    EventKind("careers_page_viewed", "web", None, 0, "viewed the careers page", "採用ページを閲覧"),
    EventKind("white_paper_downloaded", "download", "interest", 3, "downloaded a white paper", "ホワイトペーパーをダウンロード"),
    EventKind("case_study_downloaded", "download", "interest", 5, "downloaded a case study", "導入事例をダウンロード"),
    EventKind("webinar_attended", "webinar", "interest", 5, "attended a webinar", "ウェビナーに参加"),
    EventKind("mail_sent", "mail", None, 0, "was sent a mail", "メールを配信"),
    EventKind("mail_opened", "mail", "awareness", 1, "opened a mail", "メールを開封"),
    EventKind("mail_clicked", "mail", "interest", 3, "clicked a link in a mail", "メールのリンクをクリック"),
    EventKind("social_post_liked", "social", "awareness", 1, "liked a post", "投稿に「いいね」"),
    EventKind("social_ad_clicked", "social", "awareness", 1, "clicked an ad", "広告をクリック"),
    EventKind("demo_video_watched", "web", "decision", 5, "watched the demo video", "デモ動画を視聴"),
    EventKind("cart_created", "product", "decision", 10, "put a plan in the cart", "プランをカートに追加"),
    EventKind("cart_abandoned", "product", "decision", 5, "left a plan in the cart", "カートを離脱"),
    EventKind("trial_started", "product", "action", 20, "started a trial", "トライアルを開始"),
    EventKind("contact_sales", "web", "action", 25, "asked to talk to sales", "営業への相談を依頼"),
    EventKind("discovery_call_booked", "call", "action", 25, "booked a discovery call", "商談の打ち合わせを予約"),
)
# Events a busy day by intent; times _ACTIVITY_FACTORS unless the seller is the one who acts.
_RATES = {
    #                        outsider  idle  curious evaluating deciding
    "page_viewed":            (0.08,   0.012,  0.1,    0.25,   0.35),
    "blog_read":              (0.05,   0.01,   0.06,   0.06,   0.05),
    "docs_viewed":            (0.06,   0.003,  0.03,   0.18,   0.25),
    "pricing_page_viewed":    (0.003,  0.001,  0.012,  0.09,   0.3),
    "careers_page_viewed":    (0.15,   0.001,  0.001,  0.001,  0.001),
    "white_paper_downloaded": (0.02,   0.002,  0.02,   0.03,   0.02),
    "case_study_downloaded":  (0.002,  0.001,  0.008,  0.05,   0.07),
    "webinar_attended":       (0.004,  0.001,  0.008,  0.02,   0.02),
    "mail_sent":              (0.03,   0.03,   0.03,   0.03,   0.03),
    "mail_opened":            (0.02,   0.006,  0.03,   0.06,   0.08),
    "mail_clicked":           (0.006,  0.001,  0.01,   0.03,   0.05),
    "social_post_liked":      (0.02,   0.003,  0.015,  0.015,  0.015),
    "social_ad_clicked":      (0.005,  0.002,  0.012,  0.012,  0.01),
    "demo_video_watched":     (0.003,  0.001,  0.008,  0.05,   0.08),
    "cart_created":           (0.0005, 0.0002, 0.001,  0.01,   0.07),
    "cart_abandoned":         (0.0003, 0.0001, 0.001,  0.006,  0.03),
    "trial_started":          (0.002,  0.0002, 0.002,  0.015,  0.04),
    "contact_sales":          (0.0005, 0.0001, 0.001,  0.006,  0.03),
    "discovery_call_booked":  (0.0003, 0.0001, 0.0005, 0.006,  0.03),
}
# fmt: on
_ACTIVITY_FACTORS, _SAME = (1.0, 2.4), (1.0, 1.0)
_BY_SELLER = {"mail_sent"}

_DELAYS = (0, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY)
# Mail and webinars come from other systems' exports, social from an agency's, calls when sales writes them down.
_DELAY_SHARES = {
    "mail": (0.60, 0.20, 0.10, 0.10, 0.0, 0.0),
    "webinar": (0.0, 0.0, 0.20, 0.60, 0.20, 0.0),
    "social": (0.10, 0.0, 0.20, 0.30, 0.25, 0.15),
    "call": (0.50, 0.20, 0.10, 0.10, 0.07, 0.03),
}
_AT_ONCE = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Choice:
    """One value of an attribute: how common, how much it adds to the log-odds of a warm start, its points."""

    value: str | None
    share: float
    fit: float = 0.0
    points: int = 0


@dataclass(frozen=True)
class Attribute:
    """An attribute that the chain's start depends on."""

    name: str
    group: str
    en: str
    ja: str
    choices: tuple[Choice, ...]

    @property
    def shares(self) -> Floats:
        shares: Floats = np.array([choice.share for choice in self.choices])
        shares /= shares.sum()
        return shares

    @property
    def fits(self) -> Floats:
        return np.array([choice.fit for choice in self.choices])


COMPANY_SIZE = Attribute("company_size", "firmographic", "company size", "従業員規模", (
    Choice("1-10", 0.25, -1.2), Choice("11-50", 0.25, -0.4), Choice("51-200", 0.22, 0.4, 5),
    Choice("201-1000", 0.18, 1.0, 10), Choice("1000+", 0.10, 0.7, 15),
))  # fmt: skip
INDUSTRY = Attribute("industry", "firmographic", "industry", "業種", (
    Choice("software", 0.28, 0.8, 10), Choice("manufacturing", 0.22, 0.2, 5), Choice("retail", 0.16, -0.1),
    Choice("finance", 0.14, 0.4, 5), Choice("education", 0.11, -0.9), Choice("public", 0.09, -0.7),
))  # fmt: skip
JOB_LEVEL = Attribute("job_level", "demographic", "job level", "役職", (
    Choice("executive", 0.08, 0.6, 15), Choice("director", 0.14, 0.9, 15), Choice("manager", 0.24, 0.4, 10),
    Choice("staff", 0.32, -0.4), Choice("student", 0.09, -0.4), Choice("job_seeker", 0.05, -0.4), Choice(None, 0.08),
))  # fmt: skip
SOURCE = Attribute("source", "fit", "how we met", "獲得経路", (
    Choice("organic", 0.34, 0.2), Choice("paid_ad", 0.24, -0.3), Choice("event", 0.16, 0.2),
    Choice("referral", 0.10, 1.0, 10), Choice("bought_list", 0.16, -1.2),
))  # fmt: skip
COUNTRY = Attribute("country", "firmographic", "country", "国", (
    Choice("JP", 0.42, 0.1), Choice("US", 0.30, 0.2), Choice("GB", 0.13), Choice("AU", 0.08), Choice("SG", 0.07),
))  # fmt: skip
ATTRIBUTES = (COMPANY_SIZE, INDUSTRY, JOB_LEVEL, SOURCE, COUNTRY)
_UTC_OFFSET_HOURS = {"JP": 9, "US": -6, "GB": 0, "AU": 10, "SG": 8}

WARM_LOG_ODDS = -1.4
# Who comes to learn or to find work, by job level; all other levels have a few of them too.
OUTSIDER_SHARES = {"student": 0.85, "job_seeker": 0.92}
OTHER_OUTSIDER_SHARE = 0.04
# Rows: outsider, cold, warm. Columns: intents.
START_INTENTS = np.array([[1.0, 0, 0, 0, 0], [0, 0.80, 0.18, 0.02, 0], [0, 0.10, 0.35, 0.38, 0.17]])
START_ACTIVE = np.array([0.5, 0.3, 0.7])


def starts() -> Floats:
    """[3, S], where the chain starts for an outsider, a cold lead and a warm one."""
    activity = np.stack([1 - START_ACTIVE, START_ACTIVE], axis=1)
    return np.stack([_per_state(*rows) for rows in zip(START_INTENTS, activity, strict=True)])


def seller_chain() -> Chain:
    """The chain whose numbers stand in this file: states are intent x activity, activity the faster of the two."""
    step = 12 * HOUR
    intent_a_day = np.array([
        [0, 0.0005, 0, 0, 0],
        [0, 0, 0.006, 0.0005, 0],
        [0, 0.025, 0, 0.020, 0],
        [0, 0.004, 0.022, 0, 0.030],
        [0, 0.002, 0.002, 0.030, 0],
    ])  # fmt: skip
    activity_a_day = np.array([[0, 0.15], [0.20, 0]])
    rates = [_per_state(_RATES[kind.name], _SAME if kind.name in _BY_SELLER else _ACTIVITY_FACTORS) for kind in KINDS]
    return Chain(
        step=step,
        lead_in=7 * DAY,
        moves=_per_state(_moves(intent_a_day * step / DAY), _moves(activity_a_day * step / DAY)),
        event_rates=np.stack(rates),
        delays=np.array(_DELAYS),
        delay_shares=np.array([_DELAY_SHARES.get(kind.channel, _AT_ONCE) for kind in KINDS]),
        conversion_rates=_per_state([0.0, 0.0, 0.0002, 0.002, 0.030], [0.7, 1.3]),
        loss_rates=_per_state([0.015, 0.003, 0.002, 0.004, 0.008], _SAME),
        curves=_week_curves(),
    )


def _per_state(by_intent: ArrayLike, by_activity: ArrayLike) -> Floats:
    """Values of intents times values of activities, in the order of the states."""
    return np.kron(np.asarray(by_intent, dtype=np.float64), np.asarray(by_activity, dtype=np.float64)).astype(
        np.float64
    )


def _moves(leaving: Floats) -> Floats:
    moves: Floats = leaving + np.diag(1 - leaving.sum(axis=1))
    return moves


def _week_curves() -> WeekCurves:
    hour = np.arange(WEEK_HOURS)
    at_work = (hour % 24 >= 9) & (hour % 24 < 18)
    local = np.where(at_work, 1.0, np.where((hour % 24 >= 7) & (hour % 24 < 23), 0.35, 0.06))
    local[hour >= 5 * 24] *= 0.3
    offsets = [_UTC_OFFSET_HOURS[str(choice.value)] for choice in COUNTRY.choices]
    return WeekCurves(origin=MONDAY, busyness=np.stack([np.roll(local, -offset) for offset in offsets]))


def seller_toml() -> str:
    """The workspace's toml: contract, schedule, and the words of this file."""
    lines = [
        '[workspace]\nname = "b2b"\n',
        '[tables]\nleads = "leads.parquet"\nevents = "events.parquet"\noutcomes = "outcomes.parquet"',
        'attributes = "attributes.parquet"\n',
        f'[target]\nconverted = "won"\nhorizon = "{HORIZON_DAYS}d"\ndata_end = {DATA_END_TOML}\n',
        f"[moments]\nafter_creation = {json.dumps([f'{days}d' for days in MOMENT_DAYS])}\n",
        '[page]\nname = "contact_name"\ncompany = "company_name"\nowner = "owner"\n',
        '[attributes]\nignore = ["contact_name", "company_name", "owner"]',
    ]
    for attribute in ATTRIBUTES:
        points = {str(choice.value): choice.points for choice in attribute.choices if choice.points}
        worth = "".join(f", {_quoted(value)} = {number}" for value, number in points.items())[2:]
        lines.append(
            f"{attribute.name} = {{ group = {_quoted(attribute.group)}, en = {_quoted(attribute.en)}, "
            f"ja = {_quoted(attribute.ja)}{f', points = {{ {worth} }}' if worth else ''} }}"
        )
    lines.append('language = { group = "demographic", en = "language", ja = "言語" }\n\n[events]')
    for kind in KINDS:
        stage = f"stage = {_quoted(kind.stage)}, " if kind.stage else ""
        lines.append(
            f"{kind.name} = {{ {stage}points = {kind.points}, en = {_quoted(kind.en)}, ja = {_quoted(kind.ja)} }}"
        )
    return "\n".join(["", *lines, ""])


def _quoted(text: str) -> str:
    """A basic string of TOML, which is a string of JSON."""
    return json.dumps(text, ensure_ascii=False)
