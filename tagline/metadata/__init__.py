"""Reading and editing photo metadata: bytes in, bytes out, no files, no clock."""
