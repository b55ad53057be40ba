"""Figures of the course: every `plot_*(…, ax=None)` draws on the given axes, or on new ones, and returns them."""
