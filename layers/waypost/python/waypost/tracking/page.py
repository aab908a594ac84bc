"""The page behind an unsubscribe link, in Chinese and English. Called by the unsubscribe_contact function.

One self-contained page: no script, no picture, no font from elsewhere; readable by screen readers and in the dark.
"""

from collections.abc import Mapping
from html import escape
from typing import Final

from waypost.tracking.tokens import Unsubscription

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

Texts = Mapping[str, str]

_ENGLISH: Final[Texts] = {
    "lang": "en",
    "email": "e-mail",
    "sms": "text messages",
    "ask_title": "Unsubscribe?",
    "ask_text": "You will get no more {channel} from us.",
    "ask_text_topic": "You will get no more {channel} from us about {topic}.",
    "ask_button": "Unsubscribe",
    "done_title": "You are unsubscribed",
    "done_text": "You will get no more {channel} from us. A message that is already on its way may still arrive.",
    "done_text_topic": "You will get no more {channel} about {topic}. A message that is already on its way may still arrive.",
    "bad_title": "This link does not work",
    "bad_text": "It may have been cut off. Please open it again from the message, or copy it completely.",
    "later_title": "Please try again",
    "later_text": "We could not note your wish just now. Nothing has changed yet; please try again in a minute.",
    "other": "中文",
    "other_lang": "zh-CN",
}
_CHINESE: Final[Texts] = {
    "lang": "zh-CN",
    "email": "邮件",
    "sms": "短信",
    "ask_title": "确认退订？",
    "ask_text": "退订后，您将不再收到我们的{channel}。",
    "ask_text_topic": "退订后，您将不再收到我们关于“{topic}”的{channel}。",
    "ask_button": "退订",
    "done_title": "退订成功",
    "done_text": "您将不再收到我们的{channel}。已经发出的消息可能仍会送达。",
    "done_text_topic": "您将不再收到关于“{topic}”的{channel}。已经发出的消息可能仍会送达。",
    "bad_title": "链接无效",
    "bad_text": "链接可能不完整，请从原消息中重新打开，或完整复制链接。",
    "later_title": "请稍后再试",
    "later_text": "暂时无法保存您的选择，目前没有任何变更。请一分钟后再试。",
    "other": "English",
    "other_lang": "en",
}

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --quiet: #5b6675; --paper: #ffffff; --ground: #f2f4f7; --accent: #1f5fbf; --on-accent: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf2; --quiet: #a5b0bf; --paper: #1b212b; --ground: #11151b; --accent: #8ab4f8; --on-accent: #11151b; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", sans-serif; }
main { width: 100%; max-width: 28rem; padding: 2.5rem 2rem; background: var(--paper); border-radius: 1rem; text-align: center; box-shadow: 0 1px 3px rgb(0 0 0 / .12), 0 12px 32px rgb(0 0 0 / .08); }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.3; }
p { margin: 0 0 1.75rem; color: var(--quiet); }
button { width: 100%; min-height: 3rem; border: 0; border-radius: .625rem; background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer; }
a { color: var(--quiet); font-size: .9375rem; }
form + a { display: inline-block; margin-top: 1.25rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
"""


def texts(accept_language: str, lang: str = "") -> Texts:
    """The texts in the language asked for by ``?lang=``, else by the ``Accept-Language`` header (RFC 9110), else English."""
    for tag in [lang, *_preferred(accept_language)]:
        match tag.lower().partition("-")[0]:
            case "zh":
                return _CHINESE
            case "en":
                return _ENGLISH
    return _ENGLISH


def asking(words: Texts, asked: Unsubscription) -> str:
    """The page with the button. Opening it changes nothing: mail scanners follow every link."""
    button = (
        f'<form method="post" action="?lang={words["lang"]}"><input type="hidden" name="confirm" value="yes">'
        f'<button type="submit">{escape(words["ask_button"])}</button></form>'
        f'<a href="?lang={words["other_lang"]}" lang="{words["other_lang"]}" hreflang="{words["other_lang"]}">{words["other"]}</a>'
    )
    return _page(words, words["ask_title"], _about(words, "ask_text", asked), button)


def done(words: Texts, asked: Unsubscription) -> str:
    """The page after the button."""
    return _page(words, words["done_title"], _about(words, "done_text", asked))


def not_ours(words: Texts) -> str:
    """The page for a token we did not sign."""
    return _page(words, words["bad_title"], words["bad_text"])


def later(words: Texts) -> str:
    """The page while the queue cannot be reached."""
    return _page(words, words["later_title"], words["later_text"])


def _about(words: Texts, name: str, asked: Unsubscription) -> str:
    channel = words.get(asked.channel, asked.channel)
    return words[f"{name}_topic" if asked.topic else name].format(channel=channel, topic=asked.topic)


def _page(words: Texts, title: str, text: str, more: str = "") -> str:
    return (
        f'<!doctype html>\n<html lang="{words["lang"]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n{more}\n</main>\n</body>\n</html>\n"
    )


def _preferred(accept_language: str) -> list[str]:
    """The language tags of an Accept-Language header, most wanted first."""
    weighted: list[tuple[float, str]] = []
    for entry in accept_language[:500].split(","):
        tag, _, weight = entry.strip().partition(";q=")
        try:
            weighted.append((-float(weight or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighted, key=lambda pair: pair[0]) if weight]
