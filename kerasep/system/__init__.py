"""The operating system, in modules that import nothing heavy.

- `names`: names of files and stems as text for terminals, pages, pictures and tables.
- `logs`: the library's loggers.
- `console`: printing on terminals.
- `memory`: free, used and peak memory.
- `stop_signals`: SIGTERM and SIGHUP handled like Ctrl-C.
- `saved_classes`: classes that Keras finds in files before they are imported.
- `types`: types that annotations share.
"""
