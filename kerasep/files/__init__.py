"""Files and folders: names, text, arrays, locks."""
