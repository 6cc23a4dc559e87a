"""Where the points of a sweep are kept: one SQLite file, how it is read, asked and exported."""
