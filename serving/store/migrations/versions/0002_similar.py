"""The queue shows the interval of a probability."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("standings", sa.Column("similar_leads", sa.Integer(), nullable=True))
    op.add_column("standings", sa.Column("similar_converted", sa.Integer(), nullable=True))
