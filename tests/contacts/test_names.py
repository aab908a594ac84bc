"""Names that look like links are not used in greetings."""

from typing import Any

import pytest

from waypost.contacts.names import fit_for_greetings, looks_like_link


@pytest.mark.parametrize(
    "name",
    [
        "http://evil.example/login [click](http://evil.example)",
        "HTTPS://EVIL.EXAMPLE",
        "hxxp://evil.example",
        "ftp://x",
        "weixin://dl/business",
        "www.evil.example",
        "WWW. evil",
        "evil.example/login",
        "evil.co/?a",
        "evil.com",
        "Your prize: prize-4-you.top!",
        "ｅｖｉｌ．ｃｏｍ",
        "evil。com",
        "e\u200bvil.com/x",
        "点击evil.cn领奖",
        "javascript:alert(1)",
        "mailto:a@b.example",
        "[click](x)",
        "lin@evil.example",
        "evil.co.uk",
        "Evil.com.br",
        "prize.store",
        "evil.de",
        "例子.中国",
        "пример.рф",
        "1.2.3.4",
    ],
)
def test_what_a_mail_program_makes_a_link_of_looks_like_one(name: str) -> None:
    assert looks_like_link(name)


@pytest.mark.parametrize(
    "name",
    ["Lin", "小林", "J.R.R. Tolkien", "St. John", "O'Neil", "Anne-Marie", "Mr. Li", "李/王", "José Ñ.", "J.Li", "Dr.No", "阿卜杜·热合曼", "A. B. Commons", "Lin (VIP)", "😀 Lin", "", "Mr.Li", "Dr.Ng", "Mr.Page", "Kim.To", "Co.Ltd", "王.小明", "No.1 顾客", "Mo.Salah", "2.0"],
)  # fmt: skip
def test_names_of_people_do_not(name: str) -> None:
    assert not looks_like_link(name)


def test_only_names_are_judged() -> None:
    link = "https://shop.example/p/1"
    known: dict[str, Any] = {
        "first_name": link,
        "name": link,
        "nickname": link,
        "姓名": link,
        "avatar": link,
        "home_page": link,
        "age": 3,
    }
    assert fit_for_greetings(known) == {"avatar": link, "home_page": link, "age": 3}
