"""Numbers that definitions and the kernel share: machine code holds them, so this file is part of its cache's name."""

SESSION_GAP = 30 * 60 * 1_000_000
"""A session ends where the next event is more than 30 minutes away (microseconds)."""
LAST_EVENTS = 3
"""How many of the last events the kernel keeps, and a `LastCategory` may ask for."""
