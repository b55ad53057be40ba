"""nbgrader's gradebook and tools around our marks."""
