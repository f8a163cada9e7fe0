"""Long proofs: a slice in `make test`, in full with `make soak`. A failure names the seed that repeats it."""
