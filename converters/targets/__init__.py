"""The two underlying converters: TensorFlow Lite's and Larq Compute Engine's."""
