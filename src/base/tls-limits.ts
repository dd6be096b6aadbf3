/** Bounds of TLS towards clients: a part of LIMITS. */
export const TLS_LIMITS = {
  /** ms; from a connection's begin to the end of its TLS handshake, then it is closed. */
  tlsHandshakeMsMax: 10_000,
  /**
   * count; connections per worker and listener that are not through with it, 9 KiB each. One more
   * is closed: handshakes that never end could else be all connections.
   */
  tlsHandshakesMax: 1_000,
  /**
   * count; fronts of one listener whose certificate was replaced and that still have connections.
   * Of more the oldest one's are told to go, as when a listener is taken out.
   */
  retiredFrontsMax: 4,
  /** bytes; a file of certificates, or of a key: chains have some 10 KiB. */
  pemBytesMax: 256 * 1024,
} as const;
