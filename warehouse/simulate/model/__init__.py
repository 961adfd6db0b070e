"""What is true of the simulated world: places, firms, goods, industries, trade, and what is
spoilt.
"""
