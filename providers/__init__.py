"""The vendors: HTTP in, `Call` out. No screen, no disk, no keyring.

A vendor is one class that satisfies `providers.base.Provider`, most simply by deriving from
`providers.http.HttpProvider`, which brings the HTTP client and what most vendors share. To write
one, here or in a package of its own:

1. `id`, `title`, `capabilities`: what it is called, and what its API can do.
2. `settings`: a `providers.model.Setting` for whatever an account has beside name, base URL and
   token. The options of ``accounts add`` and their help, the form on the screen, the checks, the
   keys in config.toml and ``accounts list`` are made from it; `Login.settings` gives the values.
3. `auth`: the header with the token. `check`: one cheap question. `pages`, `call`, `recordings`:
   requests out through ``self.client``, and each row of the answers through `parse`.
4. `parse`: the vendor's JSON as a `Call`, read with `providers.fields.Reader`, which never raises
   and collects what it could not read. `merge`: two answers about one call as one.

Built-in vendors stand in `providers.registry.BUILT_IN`; others are found by an entry point in the
group ``ringback.providers`` (``acme = "acme_ringback:Acme"``). `tests/providers/contract.py` holds
what every vendor must pass, `tests/providers/example_vendor.py` a whole one.

It imports nothing of `tui` and `widgets`. Errors leave it as `providers.errors.ProviderError`.
"""
