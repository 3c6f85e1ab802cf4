"""Layouts of data sets as people have them: one a file, each a function `(folder) -> Found | None`.

They look at names only; `kerasep.data.find_tracks` and `find_pool` open the files.
"""
