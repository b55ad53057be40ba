"""Sphinx's settings. Everything that a page needs comes with it: nothing is executed, nothing is fetched."""

from pathlib import Path

from tools.site.course import Course

course = Course()

project = "Reach"
copyright = "the authors of Reach. Code under BSD-3-Clause, text and figures under CC BY 4.0"
language = "en"
html_title = project
html_baseurl = course.repository.site

extensions = [
    *("myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"),
    *("tools.site.maths", "tools.site.markup", "tools.site.preview"),
]
exclude_patterns = ["downloads"]
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # MyST-NB would load them from elsewhere
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_block", "attrs_inline", "deflist"]
myst_heading_anchors = 3
nitpicky = False

# The reference: docstrings are Google's, with code in single backticks, which link where they name something.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True  # as the source has them: a folder's path would be that of this machine
napoleon_google_docstring, napoleon_numpy_docstring = True, False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"  # below its class, a name is enough, and fits
autodoc_inherit_docstrings = False  # torch's own words for `forward` say nothing of ours
smartquotes = False  # a quotation mark may be Python's, and -- an option's
extensions += ["tools.site.docstrings", "tools.site.navigation"]

templates_path = ["theme/templates"]
html_static_path = ["theme/static"]
html_css_files = ["site.css", "pages.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_theme = "pydata_sphinx_theme"
html_favicon = "theme/static/favicon.svg"
html_additional_pages = {"404": "404.html"}
html_search_scorer = str(Path(__file__).with_name("theme") / "scorer.js")
html_scaled_image_link = False
html_show_sourcelink = False
html_copy_source = False
html_domain_indices = False  # of modules: the reference lists them, with words
html_sidebars = {"**": ["sidebar-nav-bs"], "index": [], "search": [], "genindex": []} | {
    page: [] for page in ("measured", "speed", "sheet")
}
html_context = {"default_mode": "auto", "repository": course.repository.address, "address": html_baseurl}
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navigation_depth": 2,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_bar_text": "Search the course",
    "back_to_top_button": False,
    "navbar_end": ["theme-switcher", "repository-link"],
}
