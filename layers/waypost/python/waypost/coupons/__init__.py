"""Pools of coupons: what a coupon is, how it is issued once per contact and step, and how it is redeemed."""
