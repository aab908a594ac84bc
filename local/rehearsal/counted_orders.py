"""What the nightly count has found before scenarios begin, as their files state it. Called by rehearsals."""

from collections.abc import Iterable

from local.cloud.local_cloud import LocalCloud
from local.rehearsal.scenario_file import ScenarioFile
from waypost.authoring.authored_files import FileReader
from waypost.authoring.products import products
from waypost.aws.product_sales import DynamoProductSales
from waypost.products.catalogue import Catalogue
from waypost.products.sales import sales_of
from waypost.products.together import Together


def count_orders(cloud: LocalCloud, files: Iterable[ScenarioFile]) -> None:
    """Store what goes with what by the orders that the files state; of the same order in several files the most times hold."""
    orders: dict[tuple[str, ...], int] = {}
    for file in files:
        for order in file.purchases:
            together = tuple(sorted(order.products))
            orders[together] = max(order.times, orders.get(together, 0))
    if not orders:
        return
    reader = FileReader(cloud.project.statemachines)
    catalogue = Catalogue.from_dict(products(reader))
    reader.raise_problems()
    counted = Together()
    for bought, times in sorted(orders.items()):
        counted.add(bought, catalogue.products, times=times)
    store = DynamoProductSales(cloud.client("dynamodb"), cloud.access.contacts_table)
    store.keep(sales_of(counted, catalogue), at=cloud.clock.now())
