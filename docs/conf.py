"""Settings of the documentation: guides in MyST markdown, reference from the docstrings."""

import logging
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
PACKAGE = (HERE.parent / "kerasep/__init__.py").read_text()
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
logging.getLogger("tensorflow").setLevel(logging.ERROR)

project = "kerasep"
release = version = re.search(r'__version__ = "(.+)"', PACKAGE).group(1)
html_title = f"kerasep {release}"
project_copyright = "the kerasep authors"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "matplotlib.sphinxext.plot_directive",
    "markdown_docstrings",
    "mathml",
    "name_links",
    "command_pages",
    "model_pages",
    "listen",
]
exclude_patterns = ["_templates"]
templates_path = ["_templates"]

# Quotes and ellipses, but no dashes: `--data` is an option.
smartquotes_action = "qe"

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["kerasep.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# The tutorials run once, and again when their code changes.
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "build/notebooks")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_output_stderr = "remove"

autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_default_options = {
    # What every Keras layer, loss, metric and model has, and what users never call.
    "exclude-members": "build, call, compute_output_shape, compute_output_spec, from_config, "
    "get_config, target, update_state, result, reset_state"
}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = [
    ("Call arguments", "params_style"),
    "Input shape",
    "Output shape",
    "Reference",
]

plot_formats = [("svg", 150)]
plot_html_show_formats = False
plot_html_show_source_link = True
plot_rcparams = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 9,
    "grid.alpha": 0.25,
    "image.cmap": "magma",
    "legend.frameon": False,
    "savefig.facecolor": "white",
    "svg.hashsalt": "kerasep",
}
plot_apply_rcparams = True
