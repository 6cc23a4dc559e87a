"""What does a target make of encoded weights: can it decode them, what do they save, what does that cost?"""
