"""What a column's name says of when it is filled in: word lists in English and Japanese.

A name alone never leaves a column out: "status" may be a stage that sales keeps, or the status of a membership that the
lead came with. It only tells what strong behaviour means.
"""

from __future__ import annotations

import re
import unicodedata

_WHOSE = (
    r"(lead|deal|opportunity|opp|sales|crm|pipeline|funnel|life_?cycle|contact|account|customer|client|prospect|case|call|"
    r"campaign|last|current|final|latest)"
)
_OF_SALES = re.compile(
    rf"({_WHOSE}_)*(status(_reason)?|stage(_name)?|owner(_(id|name|team))?|assignee|assigned_(to|rep|team)|disposition|"
    r"sub_?status|qualified|is_qualified|disqualified|disqualification_reason|qualification|forecast(_category)?|"
    r"next_steps?|follow_?up|(close|closed|loss|lost|won|win|rejection|reject|reason)_(reason|lost|won|code)|"
    r"win_probability|sales_?rep(_id)?|account_executive|bdr|sdr)"
    rf"|({_WHOSE}_)+(outcome|result|rating|grade|score|priority|probability|amount|value|phase|state)"
    r"|is_(won|closed|lost|converted|customer|client|deal)|won|lost|converted|closed|has_deal|num(ber)?_?(of_)?deals|"
    r".*(営業担当|担当営業|担当者|ステータス|対応(状況|結果)|進捗|商談(状況|結果|フェーズ|フェイズ|ステージ)|受注確度|失注理由|敗因|勝因|"
    r"受注(理由|金額|額|区分)|成約(区分|金額|額)?|見込み?(度|ランク)|次回(アクション|予定|対応)).*|状態|状況|フェーズ|フェイズ|確度|ヨミ|担当|結果|受注|失注"
)
_NOT_OF_SALES = re.compile(
    r".*(marital|family|civil|employment|employed|job|work|credit|payment|housing|residen|home|health|visa|student|"
    r"citizen|social|smok|member|military|school|education|insurance|車|婚姻|雇用|就業|健康|住居|世帯).*"
)
_OF_LENGTH = re.compile(
    r"(.*_)?(duration|talk_?time|call_?(time|length|seconds|minutes)|time_?spent|handling_?time|dwell_?time|"
    r"(session|visit|meeting|conversation|chat|contact)_?(length|time|seconds|minutes)|sales_cycle|"
    r"(time|days|hours)_?to_?(close|convert|conversion|win|purchase|sale|contact|order))(_.*)?"
    r"|.*(通話(時間|秒数|分数)|商談時間|滞在時間|応対時間|対応時間|所要(時間|日数)|(成約|受注)まで).*"
)
_OF_THE_END = re.compile(
    r"(.*_)?(clos(e|ed|ing)|won|lost|convert(ed)?|conversion|order(ed)?|purchase[d]?|signed|contract(ed)?|end(ed)?|"
    r"finish(ed)?|resol(ved|ution)|complet(ed|ion)|updat(e|ed)|modif(ied|ication)|last|latest|final|paid|invoice[d]?|"
    r"cancel(led|ed)?|churn(ed)?)(_.*)?"
    r"|.*(成約|受注|失注|契約|購入|完了|終了|更新|最終|解約|支払|請求).*"
)
_OF_IDS = re.compile(
    r"(.*_)?(id|uid|uuid|guid|key|no|nr|num|number|seq|sequence|row|index|idx|serial|record|ref)(_?\d+)?"
    r"|.*(番号|ＩＤ|コード|通番|連番).*"
)


def snake(column: str) -> str:
    """A name in one spelling: ``LeadStatus``, ``lead status`` and ``lead-status`` are lead_status."""
    plain = unicodedata.normalize("NFKC", column).strip()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s.\-/]+", "_", plain).lower()


def kept_by_sales(column: str) -> bool:
    """Whether a column is named as one that sales people fill in while they work on a lead.

    >>> kept_by_sales("Lead Status"), kept_by_sales("lost_reason"), kept_by_sales("marital_status"), kept_by_sales("失注理由")
    (True, True, False, True)
    """
    name = snake(column)
    return bool(_OF_SALES.fullmatch(name)) and not _NOT_OF_SALES.fullmatch(name)


def a_length(column: str) -> bool:
    """Whether a column is named as the length of something, which is known only when it is over.

    >>> a_length("duration"), a_length("ProductRelated_Duration"), a_length("通話時間"), a_length("company_size")
    (True, True, True, False)
    """
    return bool(_OF_LENGTH.fullmatch(snake(column)))


def of_the_end(column: str) -> bool:
    """Whether a column is named after an end, or after the newest change of a row.

    >>> of_the_end("closed_at"), of_the_end("last_modified"), of_the_end("birth_date")
    (True, True, False)
    """
    return bool(_OF_THE_END.fullmatch(snake(column)))


def an_id(column: str) -> bool:
    """Whether a column is named as an identifier or a running number.

    >>> an_id("campaign_id"), an_id("CustomerNo"), an_id("会員番号"), an_id("idle_days")
    (True, True, True, False)
    """
    return bool(_OF_IDS.fullmatch(snake(column)))
