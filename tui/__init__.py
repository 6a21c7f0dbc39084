"""The application: it wires vendors, archive, sound and widgets."""
