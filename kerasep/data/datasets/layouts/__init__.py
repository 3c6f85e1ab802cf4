"""Layouts of data sets, one per file, as functions `(folder) -> Contents | None`.

They look at names only; `kerasep.data.find_tracks` and `find_pool` open the files.
"""
