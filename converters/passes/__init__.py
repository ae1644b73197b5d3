"""What tfkit does to a converter's flatbuffer; one pass a file, in the order that pipeline.py gives."""
