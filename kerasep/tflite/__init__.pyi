from .benchmark import bench
from .conversion import ExportError
from .export_report import ExportReport
from .exporter import export
from .format.metadata import read_metadata
from .quantization import quantize
from .runtime import Runtime
from .stream_runtime import StreamRuntime

__all__ = [
    "ExportError",
    "ExportReport",
    "Runtime",
    "StreamRuntime",
    "bench",
    "export",
    "quantize",
    "read_metadata",
]
