"""``waypost coupons``: what pools have left, and codes from a shop's file. Added to the commands of ``waypost``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from local.cloud.local_cloud import client
from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project
from local.running import background
from waypost.authoring.authored_files import FileReader
from waypost.authoring.coupons import coupons as read_coupons
from waypost.aws.coupons import DynamoCoupons
from waypost.coupons.importing import import_codes, read_codes
from waypost.coupons.issuing import remaining
from waypost.coupons.pool import CouponPools
from waypost.errors import InvalidInput

app = typer.Typer()


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the declared pools, and how many codes each has left."""

    store, now = _store(), datetime.now(UTC)
    found = [
        {"pool": pool.name, "codes": pool.codes, "left": remaining(store, pool, now), "alarm_below": pool.alarm_below}
        for pool in _pools().pools.values()
    ]
    if as_json:
        print_json(found)
        return
    table = Table("pool", "codes", "left", "alarm at")
    for each in found:
        left = "no limit" if each["left"] is None else str(each["left"])
        table.add_row(str(each["pool"]), str(each["codes"]), left, str(each["alarm_below"]))
    console_for().print(table)


@app.command("import")
def import_(
    pool: Annotated[str, typer.Argument(help="A pool under statemachines/coupons/ with codes: imported.")],
    file: Annotated[Path, typer.Argument(help="A CSV file with the column code, and valid_until where codes end.")],
    as_json: AsJson = False,
) -> None:
    """Take the codes of a shop's file into a pool; the same file again adds none twice."""

    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"{file} cannot be read: {error}", "save it as CSV in UTF-8") from None
    try:
        declared = _pools().chain(pool)[0]
        found = import_codes(_store(), declared, read_codes(text), now=datetime.now(UTC))
    except InvalidInput as error:
        raise LocalError(f"{file}: {error}", "correct the file or the pool, and import it again") from None
    if as_json:
        print_json(found)
        return
    console_for().print(
        f"{found['added']} added, {found['there']} were there already, {len(found['rejected'])} rejected."
    )
    for each in found["rejected"]:
        console_for().print(f"  row {each['row']}, {each['field']}: {each['reason']}")


def _pools() -> CouponPools:
    reader = FileReader(current_project().statemachines)
    section = read_coupons(reader)
    reader.raise_problems()
    return CouponPools.from_dict(section)


def _store() -> DynamoCoupons:
    access = background.access()
    return DynamoCoupons(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
