"""Serial numbers of machines and major parts, unique in their series."""

from __future__ import annotations

from decimal import Decimal

from plant.documents import Product
from plant.world import World


def has_serial(product: Product) -> bool:
    """Tell whether each piece of a product carries a serial number: machines and major parts."""
    return product.is_machine or product.expected_life_days is not None


def new_serial(world: World, product: Product, year: int) -> str:
    """Return the next serial number of a product, made in this year."""
    series = product.code.replace("-", "")
    world.works.serials[series] += 1
    number = world.works.serials[series]
    if product.is_machine:
        return f"{series}{chr(ord('A') + (year - 2010) % 26)}{number:05d}"
    return f"{series}-{year % 100}{number:06d}"


def new_serials(world: World, product: Product, quantity: Decimal, year: int) -> tuple[str, ...]:
    """Return serial numbers for so many pieces; none for a product that carries none."""
    if not has_serial(product):
        return ()
    return tuple(new_serial(world, product, year) for _ in range(int(quantity)))
