"""Coupon targeting: who is how likely to redeem which coupon, and who gets which within a budget."""
