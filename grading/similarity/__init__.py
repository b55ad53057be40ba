"""Which submissions hold the same code or text, after renaming and layout: a list to look at, and never a verdict."""
