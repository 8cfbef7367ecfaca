"""Features, reasons and fixed texts in English and Japanese."""

from features.wording.formats import ago, duration, number, percent
from features.wording.labels import label, topic_label
from features.wording.messages import message
from features.wording.sentences import say
from features.wording.subjects import event_text, value_text
from features.wording.texts import LANGS, Lang

__all__ = [
    "LANGS",
    "Lang",
    "ago",
    "duration",
    "event_text",
    "label",
    "message",
    "number",
    "percent",
    "say",
    "topic_label",
    "value_text",
]
