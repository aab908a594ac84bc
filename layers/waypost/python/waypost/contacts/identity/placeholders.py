"""Values that stand where an identity is missing, and so belong to many people. Used by every door through ``acceptance``.

What programs write for a missing value (``undefined``, ``[object Object]``), templates that were not filled in
(``{{user_id}}``), ids of nothing but zeros, and words that sites give to every visitor (``guest``). Sources: the list of
blocked distinct ids in https://posthog.com/docs/product-analytics/identify, and what SDKs were seen to send.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from waypost.codec import JsonForm
from waypost.contacts.cleaning.text import EMPTY_MARKERS, plain

WORDS: Final = EMPTY_MARKERS | frozenset(
    {
        "anon", "anonym", "anonymous", "anonymousid", "blank", "contactid", "customer", "customerid", "default", "deviceid", "distinct", "distinctid",
        "email", "error", "exception", "false", "groupid", "guest", "id", "inf", "infinity", "invalid", "missing", "member", "memberid",
        "no", "nobody", "none", "not", "notset", "object", "phone", "placeholder", "sessionid", "string", "true", "uid", "unauthenticated",
        "unassigned", "unavailable", "undef", "uninitialized", "unidentified", "unknown", "unset", "user", "userid", "username", "uuid",
        "visitor", "visitorid", "void", "authenticated", "available", "applicable", "set", "logged", "in", "loggedin",
        "array", "dbnull", "found", "my", "optional", "out", "provided", "system", "your",
        "匿名", "匿名用户", "匿名使用者", "访客", "訪客", "游客", "遊客", "未登录", "未登入", "用户", "用戶", "会员", "會員",
        "ゲスト", "名無し", "匿名ユーザー", "未ログイン", "未設定", "なし", "不明", "게스트", "손님", "비회원", "익명", "없음",
        "gast", "besucher", "unbekannt", "keine", "invité", "visiteur", "anonyme", "inconnu", "invitado", "visitante", "anónimo", "desconocido",
        "ninguno", "ospite", "anonimo", "sconosciuto", "convidado", "anônimo", "desconhecido", "misafir", "ziyaretçi", "khách", "ẩn danh",
        "гость", "аноним", "анонимный", "неизвестно", "нет", "زائر", "ضيف", "अतिथि", "ผู้เยี่ยมชม", "แขก",
        "9774d56d682e549c", "02:00:00:00:00:00",
    }
)  # fmt: skip
"""In lower case. A value is a placeholder when every word of it is one: ``not_logged_in``, ``undefined|undefined``.

The last line: the id that a whole series of Android devices shares, and the address that phones report for hiding theirs.
"""

_HASHED: Final = frozenset(
    hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()
    for name in ("md5", "sha1", "sha256")
    for text in ("", "null", "undefined", "None", "nan", "NaN", "0", "false")
)
"""What becomes of a missing value when ids are hashes, as of e-mail addresses."""

_MISSING: Final = frozenset(
    {
        "undefined",
        "null",
        "(null)",
        "nil",
        "none",
        "nan",
        "n/a",
        "na",
        "anonymous",
        "unknown",
        "noemail",
        "nomail",
        "missing",
        "notprovided",
        "notavailable",
    }
)
"""What an address may not begin with, without dots and hyphens; ``guest@`` and ``user@`` are mailboxes that exist."""

_NO_NUMBER: Final = re.compile(r"\+\d{1,3}0{7,}|\+1(\d)\1{9}")
"""What forms are filled with where a phone is asked for, in E.164: zeros alone, or one digit in North America."""

_UNFILLED: Final = re.compile(
    r"\{\{.*\}\}|\{%.*%\}|[$#@]\{.*\}|\{[A-Za-z_][A-Za-z_.\s]*\}|<%.*%>|<[\w.\s/-]+>|\*\|.*\|\*|%%.*%%|%[\w.-]+%|\[\[.*\]\]|\$[A-Za-z_]\w*|:[A-Za-z_]+",
    re.DOTALL,
)
"""A variable of a template, a shell or a route that nothing was put in."""

_PRINTED: Final = re.compile(
    r"\[object \w+\]|#?<.* at 0x[0-9a-f]+>|#<.*>|<class .*>|function\b.*\(.*|\(?\w*\)?\s*=>.*|symbol\(.*\)|promise \{.*"
    r"|\w+\(0x[0-9a-f]+\)|[\w$]+(\.[\w$]+)+@[0-9a-f]{5,8}|%!\w?\(.*\)",
    re.DOTALL,
)
"""What languages print for an object, in lower case: ``#<User:0x1>``, ``HASH(0x55d0)``, ``java.lang.Object@1a2b3c``, ``%!s(<nil>)``."""

_MARKED: Final = re.compile(r"[{<*%\[$:(=@]")
"""What every form of ``_UNFILLED`` and ``_PRINTED`` has in it: most ids have none, and are not compared with them."""
_COUNTED: Final = re.compile("[1-9]")
"""Most ids have such a digit, hardly a word of the list does: they are not parted into words."""

_NUMBER_OF_NOTHING: Final = re.compile(r"[0\s!-/:-@\[-`{-~]+|-1(\.0+)?|0x0+|[-+]?0+(\.0+)?(e[-+]?\d+)?")
_ALL_ALIKE: Final = re.compile(r"[f-]{8,}|[x-]{3,}")
_WORD_ENDS: Final = re.compile(r"[\W_]+")
_PUNCTUATION: Final = re.compile(r"[._-]")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COUNTED_WORDS: Final = tuple(word for word in WORDS if _COUNTED.search(word) and not _WORD_ENDS.search(word))
_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d"


@dataclass(frozen=True, slots=True)
class Placeholders(JsonForm):
    """The built-in list, completed by a company: ``also`` identify nobody either, ``genuine`` identify a person here."""

    also: frozenset[str] = frozenset()
    genuine: frozenset[str] = frozenset()

    def __contains__(self, value: str) -> bool:
        """Whether this value of an identity stands for a missing one."""
        text = plain(value if value.isascii() else unicodedata.normalize("NFKC", value)).strip(_QUOTES).strip()
        lower = text.casefold()
        return lower not in self.genuine and (lower in self.also or _is_built_in(text, lower))

    def has_address(self, email: str) -> bool:
        """Whether an e-mail address is one of those that forms write for a missing one: ``undefined@…``."""
        address = email.strip().casefold()
        name = address.partition("@")[0]
        is_missing = name in _MISSING or _PUNCTUATION.sub("", name) in _MISSING or _UNFILLED.fullmatch(name) is not None
        return address not in self.genuine and (address in self.also or is_missing)

    def has_number(self, phone: str) -> bool:
        """Whether a phone number, in E.164, is one that forms are filled with: ``+8600000000000``."""
        return phone not in self.genuine and _NO_NUMBER.fullmatch(phone) is not None


def folded(values: Iterable[str]) -> frozenset[str]:
    """Declared values as they are compared."""
    return frozenset(plain(unicodedata.normalize("NFKC", value)).casefold() for value in values)


def _is_built_in(text: str, lower: str) -> bool:
    if lower in WORDS or lower in _HASHED or _NUMBER_OF_NOTHING.fullmatch(lower) or _ALL_ALIKE.fullmatch(lower):
        return True
    if "%" in text and (decoded := unquote(text)) != text:
        return _is_built_in(decoded, decoded.casefold())
    if _MARKED.search(lower) and (_UNFILLED.fullmatch(text) or _PRINTED.fullmatch(lower)):
        return True
    if _COUNTED.search(lower) and not any(word in lower for word in _COUNTED_WORDS):
        return False
    words = [word for word in _WORD_ENDS.split(_HUMP.sub(" ", text).casefold()) if word]
    return bool(words) and all(word in WORDS or not word.strip("0") for word in words)
