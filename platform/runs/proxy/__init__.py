"""`/clusters/<run>/…`: from a client to the host that holds the run, beside Django."""
