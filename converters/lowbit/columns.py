"""The columns of the table of methods: what ships a quantized layer."""

OWN = "own packed op"
LCE = "LCE op"
INT8 = "int8 op"
STORED = "packed storage with float compute"
REFUSED = "refused"
