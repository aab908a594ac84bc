"""The inbox's script as it is served: small, and the same code as its source."""

import re

from waypost.pages.inbox_script import MOST_BYTES, inbox_script


def test_the_script_is_three_kilobytes_at_most() -> None:
    assert len(inbox_script().encode()) <= MOST_BYTES == 3_072


def test_what_is_served_has_no_comment_and_every_text_unchanged() -> None:
    script = inbox_script()
    assert not re.search(r"^//", script, re.MULTILINE)
    for text in ('"消息,条未读,没有消息,查看,删除,退订,关闭,暂时无法连接,已删除"', "`${INBOX}, ${n} ${NEW}`"):
        assert text in script


def test_the_script_reads_nothing_as_html_and_needs_nothing_else() -> None:
    assert not re.search(
        r"innerHTML|insertAdjacent|document\.write|eval|Function\(|import|style\.cssText", inbox_script()
    )
