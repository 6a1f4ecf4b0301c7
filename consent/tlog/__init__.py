"""The transparency log: bytes only, by RFC 6962 and the C2SP specifications."""
