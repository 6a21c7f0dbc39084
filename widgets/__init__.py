"""What a person sees: Textual and `providers.model` only."""
