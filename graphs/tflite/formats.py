"""What else a file could be that is not a .tflite, told by its first bytes."""

from __future__ import annotations

import string

_CONVERT = "convert it to .tflite first, e.g. with "
_KERAS = _CONVERT + "tf.lite.TFLiteConverter.from_keras_model"
_TORCH = _CONVERT + "litert-torch (ai-edge-torch)"

# first bytes -> what the file looks like, what to do
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n", "an HDF5 (Keras .h5) file", _KERAS),
    (b"PK\x03\x04", "a ZIP archive (.keras, .pt, .zip)", "unpack it, or convert the model to .tflite"),
    (b"\x1f\x8b", "a gzip file", "unpack it first: gunzip"),
    (b"BZh", "a bzip2 file", "unpack it first: bunzip2"),
    (b"\xfd7zXZ\x00", "an xz file", "unpack it first: unxz"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it first: unzstd"),
    (b"\x08\x01\x12", "a TensorFlow SavedModel", _CONVERT + "tf.lite.TFLiteConverter.from_saved_model"),
    (b"\x80\x02", "a pickled PyTorch file", _TORCH),
    (b"\x80\x04", "a pickled Python file", _TORCH),
    (b"\x7fELF", "an ELF program", "give the .tflite model, not the firmware"),
    (b"ML\xefR", "an MLIR bytecode file", "convert it to .tflite"),
    (b"GGUF", "a GGUF file", "convert the original model to .tflite"),
    (b"\x93NUMPY", "a NumPy array file", "give the .tflite model, not its data"),
    (b"version https://git-lfs", "a Git LFS pointer, not the model itself", "fetch it: git lfs pull"),
    (b"<", "a web page or an XML file", "check the download; this is not the model itself"),
    (b"{", "a JSON file", "give the .tflite model itself"),
)
_ONNX_VERSIONS = range(2, 32)
_TEXT = frozenset(string.printable.encode())


def looks_like(data: bytes | memoryview) -> tuple[str, str]:
    """(what the bytes look like, what to do); ("", general advice) where nothing is recognised.

    >>> looks_like(b"GGUF....")[0]
    'a GGUF file'
    """
    start = bytes(data[:64])
    for magic, what, fix in _MAGIC:
        if start.startswith(magic):
            return what, fix
    # ONNX is a protobuf: field 1 (ir_version, a small number), then field 2 or 7 and more
    if len(start) > 2 and start[0] == 0x08 and start[1] in _ONNX_VERSIONS and start[2] in (0x12, 0x3A, 0x42):
        return "an ONNX file", _CONVERT + "onnx2tf"
    if start[4:6] == b"ET":
        return "an ExecuTorch program", "export the model to .tflite instead"
    if start and all(byte in _TEXT for byte in start):
        return "a text file", "give the path of a .tflite model"
    return "", "give the path of a .tflite model"
