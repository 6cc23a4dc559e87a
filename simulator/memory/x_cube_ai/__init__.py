"""X-CUBE-AI's activations: what each kernel needs, what may lie over what, where it all lies."""
