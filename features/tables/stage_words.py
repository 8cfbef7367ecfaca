"""The published word list that gives an event type its stage where the workspace does not: English and Japanese."""

from __future__ import annotations

from features.name_words import holds_one, name_words
from features.schema import STAGES

STAGE_WORDS: dict[str, tuple[str, ...]] = {
    # Nearest to the sale first: "pricing page viewed" is decision although "page viewed" alone is awareness.
    "action": (
        "trial", "checkout", "purchase", "purchased", "order", "ordered", "buy", "bought", "subscribe_paid", "signed",
        "contract", "contact_sales", "talk_to_sales", "discovery_call", "call_booked", "booked_call", "meeting_booked",
        "meeting", "appointment", "quote", "quotation", "proposal", "negotiation", "redeemed", "redemption", "deposit",
        "トライアル", "購入", "注文", "契約", "申込", "申し込み", "商談", "見積", "提案", "面談", "発注", "アポ",
        "営業に相談", "予約",
    ),
    "decision": (
        "pricing", "price", "plan", "cart", "basket", "demo", "compare", "comparison", "roi", "calculator", "case_study",
        "case_studies", "reference", "testimonial", "security", "integration", "contact", "inquiry", "enquiry", "call",
        "callback", "chat", "reply", "replied", "coupon",
        "料金", "価格", "プラン", "カート", "デモ", "比較", "導入事例", "事例", "問い合わせ", "問合せ", "お問合わせ", "相談",
        "電話", "返信", "クーポン",
    ),
    "interest": (
        "download", "downloaded", "whitepaper", "ebook", "webinar", "seminar", "event_attended", "attended", "registered",
        "register", "registration", "signup", "sign_up", "subscribe", "subscribed", "newsletter", "click", "clicked",
        "form", "video", "search", "searched", "login", "survey", "product", "feature", "docs", "return_visit",
        "資料", "ダウンロード", "ホワイトペーパー", "セミナー", "ウェビナー", "登録", "参加", "クリック", "動画", "検索",
        "フォーム", "メルマガ", "ログイン", "アンケート", "製品", "商品", "機能",
    ),
    "awareness": (
        "page", "visit", "visited", "view", "viewed", "impression", "open", "opened", "mail", "email", "mailing", "ad",
        "advert", "social", "blog", "like", "liked", "follow", "followed", "share", "shared", "session", "home", "landing",
        "閲覧", "訪問", "開封", "配信", "表示", "メール", "広告", "ブログ", "ページ", "いいね", "フォロー", "シェア",
    ),
}  # fmt: skip
"""Stage to the words that mean it; the first stage in this order with a word of the type wins."""

_AWAY = (
    "unsubscribe",
    "unsubscribed",
    "opt_out",
    "optout",
    "bounce",
    "bounced",
    "spam",
    "complaint",
    "cancel",
    "cancelled",
    "canceled",
    "解除",
    "解約",
    "退会",
    "停止",
    "キャンセル",
    "不達",
)


def stage_of(event_type: str) -> str | None:
    """Stage of an event type by its words, None where no word is known or one says that the lead turns away.

    English words count whole; Japanese ones, which stand without spaces, wherever they are.

    >>> stage_of("pricing_page_viewed"), stage_of("料金ページ閲覧"), stage_of("newsletterUnsubscribed"), stage_of("x1")
    ('decision', 'decision', None, None)
    """
    words = name_words(event_type)
    if holds_one(words, _AWAY):
        return None
    for stage, meant in STAGE_WORDS.items():
        if holds_one(words, meant):
            return stage
    return None


assert set(STAGE_WORDS) == set(STAGES)
