"""Owns rating in vectors: very many usages under many tariffs at once, to the fen exactly as `pricing.rules.rate` does it.

Imports `pricing.rules` and numpy, nothing else: pure, integers in and out (what does not fit int64 is rated in Python integers).
Start reading at `rating.rate`; `book` compiles tariffs into tables with proven bounds, `lines` rates components.
"""

from pricing.simulation.book import Book, compile_book
from pricing.simulation.rating import Ratings, rate
from pricing.simulation.rows import Layout, Rows, pack

__all__ = ["Book", "Layout", "Ratings", "Rows", "compile_book", "pack", "rate"]
