"""A messy member list as a Chinese shop exports it, of any length and always the same. Used by ``import_rate``."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HEADER: Final = "会员编号,姓名,手机号（必填）,邮箱,性别,生日,城市,会员等级,累计消费,注册时间,标签,备注\n"
ENCODING: Final = "gb18030"

_FAMILY: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英"
_CITIES: Final = (
    "上海",
    "上海市",
    "北京",
    "广东省深圳市",
    "杭州市",
    "浙江省 杭州",
    "成都",
    "Shanghai",
    "苏州",
    "武汉市",
    "西安",
    "重庆",
    "",
)
_GENDERS: Final = ("女", "男", "女士", "先生", "F", "M", "保密", "")
_TAGS: Final = ("vip", "重要客户；新客", "历史会员、vip", "", "", "new|优惠敏感")
_NOTES: Final = ("", "", "-", "=cmd|' /C calc'!A0", '"第一行\n第二行"', '"含, 逗号"', "无")
_PREFIXES: Final = ("138", "139", "150", "186", "177", "199", "135", "158", "176", "191")


def write_members(path: Path, rows: int, seed: int = 2026) -> int:
    """Write a file of so many rows; the bytes written.

    About 3 % of the rows repeat a phone number, 3 % a member with other values, 2 % cannot be cleaned.
    """
    with path.open("wb") as file:
        size = file.write(HEADER.encode(ENCODING))
        for row in _rows(rows, seed):
            size += file.write(row.encode(ENCODING))
    return size


def _rows(rows: int, seed: int) -> Iterator[str]:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    pick = chance.choice
    for number in range(rows):
        phone = f"{pick(_PREFIXES)}{number if chance.random() > 0.03 else number // 2:08d}"
        name = pick(_FAMILY) + pick(_GIVEN) + (pick(_GIVEN) if chance.random() > 0.4 else "")
        year, month, day = chance.randrange(1950, 2010), chance.randrange(1, 13), chance.randrange(1, 29)
        cells = (
            f"M{number if chance.random() > 0.03 else number // 2:08d}",
            pick((name, f" {name} ", f"{name[0]} {name[1:]}")),
            _spelled(phone, chance) if chance.random() > 0.01 else "1380013",
            pick((f"Member{number}@Example.com", f"m{number}@qq.example.com", "", "", "无"))
            if chance.random() > 0.01
            else "no@mail",
            pick(_GENDERS),
            pick(
                (
                    f"{year}/{month}/{day}",
                    f"{year}-{month:02d}-{day:02d}",
                    f"{year}{month:02d}{day:02d}",
                    f"{year}年{month}月{day}日",
                    "",
                )
            ),
            pick(_CITIES),
            str(chance.randrange(5)),
            pick((f'"{chance.randrange(1, 99)},{chance.randrange(1000):03d}.50"', str(chance.randrange(9999)), "")),
            f"{chance.randrange(2015, 2026)}-{month:02d}-{day:02d} {chance.randrange(24):02d}:15:00",
            pick(_TAGS),
            pick(_NOTES),
        )
        yield ",".join(cells) + "\n"


def _spelled(phone: str, chance: random.Random) -> str:
    form = chance.random()
    if form < 0.6:
        return phone
    if form < 0.75:
        return f"{phone[:3]} {phone[3:7]} {phone[7:]}"
    if form < 0.85:
        return f"+86{phone}"
    if form < 0.95:
        return f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"
    return phone.translate({ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"})
