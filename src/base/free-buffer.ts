/**
 * Gives the memory behind these bytes back at once, and not when the garbage is collected: the
 * next one that asks for as much gets it while the caches still hold it. They, and all other views
 * of their buffer, are empty then. Nothing happens to a few KiB: the call would cost more than it
 * saves.
 */
export function freeBuffer(bytes: Uint8Array): void {
  // Where they end is what is known of their buffer's size without asking for it, which costs more.
  const end = bytes.byteOffset + bytes.byteLength;
  if (end > KEPT_BYTES_MAX) (bytes.buffer as ArrayBuffer).transfer(0);
}

const KEPT_BYTES_MAX = 4096;
