"""Models read from files of yields (HDF5): the format, the models shipped, the arrays made of them."""
