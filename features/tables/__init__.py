"""Tables as people bring them, read into a `History`: files and encodings, cells, rows, columns, and what was found.

`reading` is the story, `database` the only module that knows which database it is; the others hold one idea each.
"""

from features.tables.reading import ReadTables, read_history

__all__ = ["ReadTables", "read_history"]
