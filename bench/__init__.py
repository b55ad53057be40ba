"""How fast the course's own recipes are against well-known ones. `make bench` runs them all."""
