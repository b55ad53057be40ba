"""Notebooks that go out, and what comes back: release, and the exports of learning platforms."""
