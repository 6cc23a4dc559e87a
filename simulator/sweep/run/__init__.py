"""Who prices the points of a sweep: batches, models made from recipes, processes, Dask."""
