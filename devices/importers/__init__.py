"""What other tools know about a target, read from their files: firmware ELFs, linker maps, linker scripts."""
