"""What the operating system provides: memory, signals, the terminal, the log."""
