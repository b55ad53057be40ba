"""The course as a web site, made by Sphinx from what the repository holds. `python -m tools.site` builds it."""
