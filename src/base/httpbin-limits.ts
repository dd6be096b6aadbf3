const KIB = 1024;
const MIB = 1024 * KIB;

/** Bounds of the embedded upstream: a part of LIMITS. */
export const HTTPBIN_LIMITS = {
  /** bytes; request body that the embedded upstream repeats in its answer. 413. */
  httpbinEchoBytesMax: 10 * MIB,
  /** bytes; indented JSON that the embedded upstream repeats: each level indents. 413. */
  httpbinIndentedBytesMax: 64 * MIB,
  /** bytes; request body that the embedded upstream counts and forgets. 413. */
  httpbinUploadBytesMax: 8 * KIB * MIB,
  /** bytes; answer that the embedded upstream makes in memory. 400. */
  httpbinBytesMax: 10 * MIB,
  /** bytes; answer that the embedded upstream streams. 400. */
  httpbinStreamBytesMax: 4 * KIB * MIB,
  /** count; lines of JSON or server-sent events of one answer of the embedded upstream. 400. */
  httpbinStreamCountMax: 100_000,
  /** count; redirects in a row, above what browsers and curl follow. 400. */
  httpbinRedirectsMax: 100,
  /** ms; longest delay of the embedded upstream, as httpbin's: longer ones are cut. */
  httpbinDelayMsMax: 10_000,
  /** ms; how long one answer may drip, or pause between two events. 400. */
  httpbinDurationMsMax: 60_000,
} as const;
