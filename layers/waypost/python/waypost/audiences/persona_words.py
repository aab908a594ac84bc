"""The words of a persona card in Chinese and English. Used by its page and its charts."""

from collections.abc import Mapping
from typing import Final

from waypost.audiences.persona import UNKNOWN
from waypost.audiences.persona_card import OTHERS

Words = Mapping[str, str]

TITLES: Final[Mapping[str, Words]] = {
    "zh-CN": {
        "age": "年龄", "gender": "性别", "city": "城市", "level": "会员等级", "lifecycle": "生命周期", "channel": "可触达渠道",
        "activity": "最近活跃", "tenure": "成为联系人的时长", "tag": "热门标签", "rfm_segment": "RFM 客群", "rfm_r": "R 最近消费",
        "rfm_f": "F 消费频次", "rfm_m": "M 消费金额",
    },
    "en": {
        "age": "Age", "gender": "Gender", "city": "City", "level": "Member level", "lifecycle": "Lifecycle",
        "channel": "Reachable on", "activity": "Last active", "tenure": "Known for", "tag": "Top tags",
        "rfm_segment": "RFM group", "rfm_r": "R recency", "rfm_f": "F frequency", "rfm_m": "M monetary",
    },
}  # fmt: skip

_DAYS_ZH: Final[Words] = {"7d": "7 天内", "30d": "8–30 天", "90d": "31–90 天", "180d": "91–180 天", "365d": "181–365 天", "more": "一年以上"}  # fmt: skip
_DAYS_EN: Final[Words] = {"7d": "≤ 7 days", "30d": "8–30 days", "90d": "31–90 days", "180d": "91–180 days", "365d": "181–365 days", "more": "over a year"}  # fmt: skip
_AGES: Final[Words] = {"18-24": "18–24", "25-34": "25–34", "35-44": "35–44", "45-54": "45–54", "55-64": "55–64"}

VALUES: Final[Mapping[str, Mapping[str, Words]]] = {
    "zh-CN": {
        "age": {**_AGES, "<18": "18 岁以下", "65+": "65 岁以上"},
        "gender": {"female": "女", "male": "男", "unknown": "未透露"},
        "lifecycle": {
            "lead": "潜在客户", "new": "新客户", "active": "活跃", "mature": "成熟", "dormant": "沉睡", "churned": "流失",
        },
        "channel": {"email": "邮件", "sms": "短信", "wechat": "微信", "wecom": "企业微信", UNKNOWN: "无法触达"},
        "activity": _DAYS_ZH,
        "tenure": _DAYS_ZH,
    },
    "en": {
        "age": {**_AGES, "<18": "under 18", "65+": "65 and over"},
        "gender": {"female": "female", "male": "male", "unknown": "not stated"},
        "channel": {"email": "e-mail", "sms": "SMS", "wechat": "WeChat", "wecom": "WeCom", UNKNOWN: "none"},
        "activity": _DAYS_EN,
        "tenure": _DAYS_EN,
    },
}  # fmt: skip
"""What the product's own values are called; a company's own (cities, tags, levels) stand as they are."""

_OTHERS: Final[Words] = {"zh-CN": "其他", "en": "others"}

TEXTS: Final[Mapping[str, Words]] = {
    "zh-CN": {
        "lang": "zh-CN",
        "kind": "人群画像",
        "size": "人群规模",
        "people": "人",
        "share": "占全部联系人",
        "reachable": "至少一个渠道可触达",
        "active": "30 天内活跃",
        "stands_out": "与整体相比的突出特征",
        "nothing_stands_out": "这个人群与整体没有明显差别。",
        "more": "是整体的 {lift} 倍",
        "less": "仅为整体的 {lift} 倍",
        "here": "本人群",
        "base": "全部联系人",
        "known": "{known} 的成员有此信息",
        "about": "估算值",
        "several": "一人可有多个，合计可超过 100%",
        "too_small": "这个人群不足 {fewest} 人，为保护个人隐私不展示分布。",
        "as_of": "数据时间",
        "owner": "负责人",
        "table": "查看数字",
        "value": "值",
        "lift": "倍数",
        "notes": "不足 {fewest} 人的值并入“其他”或不展示；比例按已知信息的成员计算。整体为{base}。“可触达”指有地址、未被抑制且同意过至少一个主题。",
        "base_all": "全部 {contacts} 位联系人",
        "base_part": "全部 {contacts} 位联系人中按哈希抽取的 {base} 位",
        "rfm": "RFM 评分（1 低 – 5 高）",
        "nobody": "（整体中极少）",
    },
    "en": {
        "lang": "en",
        "kind": "Persona",
        "size": "Size",
        "people": "contacts",
        "share": "of all contacts",
        "reachable": "reachable on a channel",
        "active": "active in 30 days",
        "stands_out": "What sets them apart",
        "nothing_stands_out": "This segment is much like everybody else.",
        "more": "{lift}× as frequent as in the whole base",
        "less": "only {lift}× as frequent as in the whole base",
        "here": "this segment",
        "base": "all contacts",
        "known": "known of {known}",
        "about": "estimates",
        "several": "a contact may have several, so the sum may exceed 100%",
        "too_small": "Fewer than {fewest} contacts are in this segment; to keep them unrecognised, nothing more is shown.",
        "as_of": "as of",
        "owner": "owner",
        "table": "the figures",
        "value": "value",
        "lift": "lift",
        "notes": "Values of fewer than {fewest} contacts are among “others” or left out. Shares are of the members of whom it is known. The base is {base}. Reachable: an address, no suppression, and consent to a topic.",
        "base_all": "all {contacts} contacts",
        "base_part": "{base} of all {contacts} contacts, drawn by hash",
        "rfm": "RFM scores (1 low – 5 high)",
        "nobody": "(hardly any in the base)",
    },
}


def label(dimension: str, value: str, language: str) -> str:
    """What a value is called on the card."""
    if value == OTHERS:
        return _OTHERS[language]
    return VALUES[language].get(dimension, {}).get(value, value)
