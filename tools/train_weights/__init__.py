"""`make weights`: train the small models that the course ships in data/weights/, each by its own recipe."""
