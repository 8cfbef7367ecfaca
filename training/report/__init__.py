"""The model report: one HTML file that says what was trained, what it is worth and what it must not be used for."""
