"""What the operating system provides, in modules that import nothing heavy.

- `names`: names of files and stems as text for terminals, pages, pictures and tables.
- `logs`: the library's loggers.
- `console`: printing on terminals.
- `memory`: free, used and peak memory.
- `stop_signals`: SIGTERM and SIGHUP handled like Ctrl-C.
- `types`: types that annotations share.
"""
