"""Where sound comes out of an engine: a device, a file, or nowhere at the same pace."""
