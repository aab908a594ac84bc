"""Whether bytes read as GB18030 are Chinese, or another encoding that happens to decode. Used by detecting and by lines.

Nearly every text decodes as GB18030: "Renée" in Windows-1252 becomes "Ren閑", Cyrillic and Japanese become rare Chinese
characters. Real files of contacts are made of common characters: most of what they hold is among the few hundred characters
that names, addresses and headers use most.
"""

import re
from typing import Final

_PRIVATE_USE: Final = re.compile("[\ue000-\uf8ff]")
"""Characters without a meaning, as they come of Big5 read as GB18030."""

_LEAST_EVERYDAY: Final = 0.7
"""Share of characters of GB 2312, level 1, and of Chinese punctuation: above 0.95 in simplified Chinese, 0 in Western Europe."""

_LEAST_COMMON: Final = 0.45
"""Share of the characters below: 0.76 in simplified Chinese (0.9 in files of members), 0.14 where level-1 characters come by chance,
as Korean and Japanese in EUC do."""

_LETTERS_FROM: Final = 0xC0
_MOST_LETTERS: Final = 0.9
"""Share of the bytes outside ASCII from C0 on, where the letters of Cyrillic and Greek are: 0.65 in Chinese, 1 in those."""

_COMMON: Final = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长"
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂兰玉梅花红华建国文辉力志永健世广义兴良海山仁波宁贵福生龙元全胜学祥才发武新利清飞彬富顺信子云荷春菊珍莉凤洁琳素真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珠婷雅思宇浩轩博晨欣怡梓涵诗琪雨泽俊"
    "姓名手机号码邮箱件电话性别男女生日城市省份区县地址会员编等级标签备注客户来源时间注册渠道微信公司职位状态是否同意积分消费金额订单次数最近关注产品商品兴趣语言部门负责人创建更新类型用户昵称账单位门店首购"
    "北京上海天津重庆广东深圳州杭浙江苏南武汉湖西安四川成都福建厦门山东青岛河辽宁大连沈阳黑龙吉林内蒙古新疆藏云贵昆明甘肃夏青安徽合肥郑沙长春无锡佛东莞波海口石家庄太原香港澳门台湾路街道号楼室村镇乡园区单元栋"
    "美妆护肤服装食品母婴运动数码家居图书旅游酒店健康宝妈学生老师新老普通金银钻石黄铜高低中价值活跃流失潜在重要优惠券折扣免费送活动促销节收到未已完成待付款退货评价店铺淘宝京东抖音小红书公众号程序推荐朋友扫码线下百货"
    "第二四五六七八九百千万亿零元个月日周点分秒前后内外左右东南西北冬秋早晚今明昨先生太总经理员工程师请谢您好需要喜欢不想买过问题联系回复建议加班假期"
)


def is_chinese(data: bytes) -> bool:
    """Whether the bytes are text in GB18030 for certain enough to store it; ASCII alone is."""
    shares = _shares(data)
    if shares is None or shares[0] < _LEAST_EVERYDAY or shares[1] < _LEAST_COMMON:
        return False
    high = [byte for byte in data if byte >= 0x80]
    return sum(byte >= _LETTERS_FROM for byte in high) <= len(high) * _MOST_LETTERS


def may_be_chinese(data: bytes) -> bool:
    """The same of one line of a file, in which a rare name may stand alone."""
    shares = _shares(data)
    return shares is not None and shares[0] >= _LEAST_EVERYDAY


def _shares(data: bytes) -> tuple[float, float] | None:
    """The shares of everyday and of common characters among those outside ASCII; None for bytes that do not decode so."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    if _PRIVATE_USE.search(text):
        return None
    characters = [each for each in text if not each.isascii()]
    if not characters:
        return 1.0, 1.0
    everyday = [each for each in characters if _is_everyday(each)]
    common = sum(each in _COMMON or not each.isalpha() for each in everyday)
    return len(everyday) / len(characters), common / len(characters)


def _is_everyday(character: str) -> bool:
    """Whether GB 2312 has it among its level-1 characters (B0 to D7), its punctuation (A1) or its wide letters (A3)."""
    encoded = character.encode("gb18030")
    return len(encoded) == 2 and encoded[1] >= 0xA1 and (0xB0 <= encoded[0] <= 0xD7 or encoded[0] in {0xA1, 0xA3})
