"""Feedback on its way to students: in a zip that a platform takes back, or as pages to mail or serve."""
