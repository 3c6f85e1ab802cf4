"""The contents of a `.tflite` file: metadata, graphs, and the checks that every reader makes."""
