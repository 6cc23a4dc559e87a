"""How accurate is a model on the user's data, with the numerics of the target's runtime?"""
