"""The author's tools. Nothing that a learner runs imports them."""
