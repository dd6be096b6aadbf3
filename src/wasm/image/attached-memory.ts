/** A memory that can be put back to its image. Keeps the memory alive. */
export interface AttachedMemory {
  /** How: an image is copied into memories that cannot be mapped. */
  readonly kind: ImageKind;
  /**
   * The image's contents again, and zeros above it up to the memory's size as it is now. The guest
   * must be at rest. Views of the memory stay as they are.
   * @throws AssertionError when the contents cannot be had any more; drop the memory then
   */
  reset(): void;
  /**
   * Gives every page back to the system now, where waiting for the garbage collection could take
   * minutes. The memory must not be used any more; an access that happens still is harmless.
   */
  discard(): void;
}

export type ImageKind = "copy-on-write" | "copy";
