"""Layouts of data sets as people have them: one a file, each a function `(folder) -> Found | None`.

They look at names only; `kerasep.data.tracks` and `kerasep.data.pools` open what they find.
"""
