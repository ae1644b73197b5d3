"""Few-bit layers: their values as integers and bits, the ops that compute with them, and what keeps a layer from them.

``bits`` reads files and needs no TensorFlow; what plans a conversion does.
"""
