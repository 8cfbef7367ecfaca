"""The leakage guard: what in the tables smells of the future, found before training, by name and with the evidence.

`guard` is the story, `sight` what may be looked at, `finding` what is said; the other files hold one family of checks each.
"""

from training.leakage.finding import Finding
from training.leakage.guard import Guarded, guard

__all__ = ["Finding", "Guarded", "guard"]
