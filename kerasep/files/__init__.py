"""Reading and writing files safely.

- `atomic`: write files and folders completely or not at all.
- `checksums`: SHA-256 of files.
- `folder_lock`: one process at a time in a folder.
- `text_files`: text in any Unicode encoding, and CSV tables.
- `array_file`: `.npz` files from untrusted sources.
- `hdf5_headers`: headers of HDF5 files from untrusted sources.
"""
