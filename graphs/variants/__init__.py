"""How can a model be changed: pruned, clustered, quantized, composed to recipes."""
