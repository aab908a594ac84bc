"""``waypost coupons``: what pools have left, and codes from a shop's file. Added to the commands of ``waypost``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from local.cloud.local_cloud import client
from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.project.current_project import current_project
from local.running import background
from local.running.file_operations import FileOperations
from local.running.operation_runs import run_operation
from waypost.authoring.authored_files import FileReader
from waypost.authoring.coupons import coupons as read_coupons
from waypost.aws.coupons import DynamoCoupons
from waypost.coupons.coupon import Usage
from waypost.coupons.issuing import remaining
from waypost.coupons.pool import CouponPool, CouponPools

app = typer.Typer()


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the declared pools: how many codes each has left, and what was issued and redeemed, in all and by journey."""

    store, now = _store(), datetime.now(UTC)
    found = [_listed(store, pool, now) for pool in _pools().pools.values()]
    if as_json:
        print_json(found)
        return
    table = Table("pool", "codes", "left", "alarm at", "journey", "issued", "redeemed", "rate")
    for each in found:
        left = "no limit" if each["left"] is None else str(each["left"])
        table.add_row(each["pool"], each["codes"], left, str(each["alarm_below"]), "", *_usage_cells(each))
        for used in each["journeys"]:
            table.add_row("", "", "", "", used["journey"], *_usage_cells(used))
    console_for().print(table)


@app.command("import")
def import_(
    pool: Annotated[str, typer.Argument(help="A pool under statemachines/coupons/ with codes: imported.")],
    file: Annotated[Path, typer.Argument(help="A CSV file with the column code, and valid_until where codes end.")],
    as_json: AsJson = False,
) -> None:
    """Take the codes of a shop's file into a pool; the same file again adds none twice."""

    access = background.access()
    key = FileOperations(access).upload(file)
    found = run_operation(access, "import-coupons", {"pool": pool, "file": key})
    if as_json:
        print_json(found)
        return
    console_for().print(f"{found['added']} added, {found['there']} were there already, {found['rejected']} rejected.")
    for each in found["rejections"]:
        console_for().print(f"  row {each['row']}, {each['field']}: {each['reason']}")
    if found["rejected"] > len(found["rejections"]):
        console_for().print(
            f"  … and {found['rejected'] - len(found['rejections'])} more; correct these and import again"
        )


def _listed(store: DynamoCoupons, pool: CouponPool, now: datetime) -> dict[str, Any]:
    used = store.usage(pool.name)
    return {
        "pool": pool.name,
        "codes": pool.codes,
        "left": remaining(store, pool, now),
        "alarm_below": pool.alarm_below,
        **_usage(used),
        "journeys": [
            {"journey": name, **_usage(Usage(issued, redeemed))} for name, (issued, redeemed) in used.by_journey.items()
        ],
    }


def _usage(used: Usage) -> dict[str, Any]:
    rate = None if used.rate is None else round(used.rate, 4)
    return {"issued": used.issued, "redeemed": used.redeemed, "redemption_rate": rate}


def _usage_cells(used: dict[str, Any]) -> tuple[str, str, str]:
    rate = "" if used["redemption_rate"] is None else f"{used['redemption_rate']:.1%}"
    return str(used["issued"]), str(used["redeemed"]), rate


def _pools() -> CouponPools:
    reader = FileReader(current_project().statemachines)
    section = read_coupons(reader)
    reader.raise_problems()
    return CouponPools.from_dict(section)


def _store() -> DynamoCoupons:
    access = background.access()
    return DynamoCoupons(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
