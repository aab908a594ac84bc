"""What messages may ask for beside the contact and the event: products and coupons. Used by the functions that send to contacts."""

from functools import cache

from waypost.aws import wiring
from waypost.content.coupons import CouponVariables
from waypost.content.products import ProductVariables
from waypost.coupons.pool import load_pools
from waypost.products.catalogue import load_catalogue


@cache
def products() -> ProductVariables:
    """The catalogue with prices and stock of now, what was bought before and what together, for messages that ask for products."""
    return ProductVariables(
        catalogue=load_catalogue(),
        purchases=wiring.history(),
        sales=wiring.product_sales(),
        states=wiring.product_states(),
    )


@cache
def coupons() -> CouponVariables:
    """The contacts' coupons and their pools, for messages that speak of one."""
    return CouponVariables(store=wiring.coupons(), pools=load_pools())
