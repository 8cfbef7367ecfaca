"""What the service keeps: leads and what they did, where they stand, what people did about it. SQLite or PostgreSQL."""

from serving.store.opening import Store, open_store

__all__ = ["Store", "open_store"]
