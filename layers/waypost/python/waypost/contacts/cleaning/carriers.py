"""Which operator a Chinese mobile number was issued by. Called by fill rules.

Source: 我国公众移动通信网网号及H0分配情况(截至2023年3月底), Ministry of Industry and Information Technology, 2023-06-05.
A number may have moved to another operator since (携号转网), so this is the carrier segment and not the carrier of today.
"""

from typing import Final, Literal

Carrier = Literal["china_mobile", "china_unicom", "china_telecom", "china_broadnet", "virtual", "satellite"]

_SEGMENTS: Final[dict[Carrier, str]] = {
    "china_telecom": "133 149 153 173 177 180 181 189 190 191 193 199",
    "china_mobile": "134 135 136 137 138 139 147 148 150 151 152 157 158 159 172 178 182 183 184 187 188 195 197 198",
    "china_unicom": "130 131 132 145 146 155 156 166 175 176 185 186 196",
    "china_broadnet": "192",
    "virtual": "162 165 167 170 171",
    "satellite": "1349 1619 174",
}
_OF_SEGMENT: Final[dict[str, Carrier]] = {
    segment: carrier for carrier, segments in _SEGMENTS.items() for segment in segments.split()
}


def carrier(number: str) -> Carrier | None:
    """The operator of an E.164 number's segment; None for numbers outside China, land lines and segments not issued.

    ``virtual`` are resellers of all networks (移动转售业务, 170 171 162 165 167).
    """
    if not number.startswith("+861") or len(number) != 14:
        return None
    return _OF_SEGMENT.get(number[3:7]) or _OF_SEGMENT.get(number[3:6])
