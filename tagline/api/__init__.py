"""HTTP: routes, payloads, one error table, one middleware a concern."""
