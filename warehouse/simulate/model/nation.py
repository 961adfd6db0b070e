"""What all simulated cities share: the nation's growth, prices and exchange rates, and world
trade, by year from 2000 on.
"""

from __future__ import annotations

# Common growth of real output and of prices, in per cent, for 2001-2021: the crisis of 2008-09 and
# 2020 show.
REAL_GROWTH = (
    8.3, 9.1, 10.0, 10.1, 11.4, 12.7, 14.2, 9.7, 8.4, 10.6, 9.6, 7.9,
    7.8, 7.4, 7.0, 6.8, 6.9, 6.7, 6.0, 2.2, 8.4,
)  # fmt: skip
PRICE_GROWTH = (
    2.0, 0.6, 2.6, 6.9, 3.9, 3.9, 7.8, 7.8, -0.1, 6.9, 8.1, 2.3,
    2.2, 1.0, 0.0, 1.4, 4.2, 3.5, 1.3, 0.5, 4.5,
)  # fmt: skip
CNY_PER_USD = (
    8.279, 8.276, 8.277, 8.278, 8.276, 8.194, 7.970, 7.612, 6.938, 6.835, 6.762, 6.466, 6.317,
    6.189, 6.151, 6.234,
    6.649, 6.748, 6.625, 6.891, 6.904, 6.453,
)  # fmt: skip
# Exports of the nation in thousand million USD, 2000-2021.
WORLD_TRADE = (
    249, 266, 326, 438, 593, 762, 969, 1220, 1431, 1202, 1578,
    1898, 2049, 2209, 2342, 2274, 2098, 2263, 2487, 2499, 2591, 3364.0,
)  # fmt: skip
