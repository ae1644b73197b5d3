"""What tfkit does to a model on its way: passes over the Keras model while it is traced (``as_convolutions``,
``ranges_stay``), and over the converter's flatbuffer (the others); one pass a file, in the order of pipeline.py."""
