"""``waypost products``: what is recommended for a product, and why. Added to the commands of ``waypost``."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from local.cloud.local_cloud import client
from local.commands.output import AsJson, print_json
from local.commands.tables import console_for
from local.problems import LocalError
from local.project.current_project import current_project
from local.running import background
from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import unknown
from waypost.authoring.products import products as read_products
from waypost.aws.product_sales import DynamoProductSales
from waypost.products.catalogue import Catalogue
from waypost.products.recommending import Recommendation, recommend

app = typer.Typer()


@app.command()
def related(
    skus: Annotated[
        list[str], typer.Argument(metavar="SKU…", help="A product of the catalogue, or several as of a cart.")
    ],
    count: Annotated[int, typer.Option(min=1, max=12, help="So many at most.")] = 5,
    tag: Annotated[str, typer.Option(help="Only products that have this tag.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what messages recommend for a product, each with its reason, from what the running system counted last night."""

    catalogue = _catalogue()
    if strangers := [sku for sku in skus if sku not in catalogue.products]:
        raise LocalError(unknown(strangers[0], catalogue.products, "unknown product"), "products.yaml declares them")
    access = background.access()
    sales = DynamoProductSales(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
    found = recommend(catalogue, skus, sales=sales, now=datetime.now(UTC), count=count, tag=tag)
    if as_json:
        print_json([_shown(each) for each in found])
        return
    table = Table("product", "name", "reason", "orders")
    for each in found:
        names = each.product.names
        name = names.get("en") or next(iter(names.values()))
        table.add_row(each.product.id, name, each.reason.replace("_", " "), str(each.times or ""))
    console_for().print(table if found else "Nothing is recommended for this.")


def _shown(each: Recommendation) -> dict[str, Any]:
    return {"product": each.product.id, "name": dict(each.product.names), "reason": each.reason, "times": each.times}


def _catalogue() -> Catalogue:
    reader = FileReader(current_project().statemachines)
    section = read_products(reader)
    reader.raise_problems()
    return Catalogue.from_dict(section)
