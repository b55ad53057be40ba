"""Sphinx's settings. Everything that a page needs comes with it: nothing is executed, nothing is fetched."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # autodoc imports utils

from tools.site.course import Course  # noqa: E402

course = Course()

project = "Reach"
copyright = "the authors of Reach. Code under BSD-3-Clause, text and figures under CC BY 4.0"
language = "en"
html_title = project
html_baseurl = course.address

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "tools.site.maths"]
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
napoleon_google_docstring, napoleon_numpy_docstring = True, False
python_use_unqualified_type_names = True

templates_path = ["theme/templates"]
html_static_path = ["theme/static"]
html_css_files = ["site.css"]
html_theme = "pydata_sphinx_theme"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "github_url": course.repository.address,
    "header_links_before_dropdown": 7,
    "navigation_depth": 2,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_bar_text": "Search the course",
    "back_to_top_button": False,
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
}
