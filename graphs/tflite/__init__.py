"""The only flatbuffers code: verify, read, write .tflite."""
