"""How few bytes can hold the weights that a model has? Encodings with exact sizes, encoders and decoders."""
