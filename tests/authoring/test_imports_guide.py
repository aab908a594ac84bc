"""docs/imports.md: its files are valid, and its table of cleaning is what cleaning does."""

import re
from pathlib import Path

import pytest

from tests.importing.files import cleaned
from waypost.authoring.attributes import Attribute, attributes
from waypost.authoring.authored_files import FileReader
from waypost.authoring.filling import Fill, filling
from waypost.authoring.imports import ColumnMapping, ImportMapping, imports
from waypost.contacts.attributes import AttributeDeclaration, AttributeSystem
from waypost.contacts.cleaning import Unusable
from waypost.importing.filling import Filling
from waypost.importing.rows import CleanRow
from waypost.importing.spec import Column, ImportSpec
from waypost.importing.steps import step_for

GUIDE = (Path(__file__).parents[2] / "docs" / "imports.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```yaml file=(\S+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
CLEANING = re.findall(r"^\| (\w+) \| `(.+)` \| (`.+`|refused) \|$", GUIDE, re.MULTILINE)


def written(root: Path) -> FileReader:
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return FileReader(root)


def test_the_files_of_the_guide_import_a_row(tmp_path: Path) -> None:
    reader = written(tmp_path)
    system = AttributeSystem.from_dict(attributes(reader))
    rules = Filling.from_dict(filling(reader))
    spec = ImportSpec.from_dict(imports(reader)["crm-export"])
    assert [str(problem) for problem in reader.problems] == []
    header = "客户号,联系方式,E-Mail,公众号openid,姓名,出生,客户标签,同意短信,内部备注,城市\n"
    data = f"{header}7,13800138000,oops,oX1,小明,03/04/1990,a;b,是,x,上海\n".encode()
    (row,) = cleaned(data, spec, system, rules)
    assert isinstance(row, CleanRow)
    assert row.identities == {"user_id": "7", "phone": "+8613800138000", "openid": "main-account:oX1"}
    assert row.profile["birthday"] == "1990-04-03"
    assert row.filled == {
        "country": "CN",
        "locale": "zh-CN",
        "timezone": "Asia/Shanghai",
        "segment_of_trade": "retail",
        "store": "Nanjing Road",
    }


def test_the_table_of_cleaning_is_long_enough_to_be_read() -> None:
    assert len(CLEANING) == 30


@pytest.mark.parametrize(("kind", "cell", "result"), CLEANING)
def test_a_row_of_the_table_is_what_cleaning_does(kind: str, cell: str, result: str) -> None:
    declared = {
        "date": AttributeDeclaration(name="x", type="date"),
        "datetime": AttributeDeclaration(name="x", type="datetime"),
        "number": AttributeDeclaration(name="x", type="number"),
        "boolean": AttributeDeclaration(name="x", type="boolean"),
        "province": AttributeDeclaration(name="x", type="region", level="province"),
        "city": AttributeDeclaration(name="x", type="region", level="city"),
        "text": AttributeDeclaration(name="x", type="string"),
    }
    column = Column("identity", kind) if kind in {"phone", "email"} else Column("attribute", "x")
    system = AttributeSystem({"x": declared[kind]}) if kind in declared else AttributeSystem()
    step = step_for("column", column, ImportSpec(), system)
    assert step is not None
    found = step.value(cell, ())
    shown = (
        "refused" if isinstance(found, Unusable) else f"`{str(found).lower() if isinstance(found, bool) else found}`"
    )
    assert shown == result


def test_every_field_of_every_file_is_in_the_guide() -> None:
    for model in (Attribute, ImportMapping, ColumnMapping, Fill):
        names = [field.alias or name for name, field in model.model_fields.items()]
        assert [name for name in names if f"`{name}`" not in GUIDE and f"{name}:" not in GUIDE] == []
