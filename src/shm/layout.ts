import { LIMITS } from "../base/limits.ts";

/**
 * Where things lie in a store: 32-bit words, and behind them chunks of 256 bytes.
 *
 *   header │ buckets of shared data │ queues │ receivers of each queue │ chunks …
 *
 * All zeros is an empty store. A *block* is a chain of chunks that holds a key and a value; its
 * number is that of its first chunk, and 0 means none.
 *
 *   first chunk   next │ link │ key length │ value length │ hash │ cas │ bytes …
 *   further ones  next │ bytes …
 *
 * Chunks of one size, because then nothing can be fragmented: as many as are free can be used.
 */
export const CHUNK_WORDS = 64;
export const CHUNK_BYTES = 4 * CHUNK_WORDS;

/** Words of the header. */
export const HEADER = {
  /** Serial number of the process that works in the store; 0: none. */
  lock: 0,
  /** Not 0 while something is being changed: who finds it so must repair. */
  writing: 1,
  /** First of the free chunks, which are linked by their `next`. */
  free: 2,
  /** Chunks above this one have never been used. */
  frontier: 3,
  usedChunks: 4,
  /** How many of them belong to queues. */
  queueChunks: 5,
  keys: 6,
  dataBytes: 7,
  lastCas: 8,
  /** How often somebody has registered for a queue. */
  registrations: 9,
  repairs: 10,
  /** How often the lock was left: it tells a holder that is stuck from many that come and go. */
  turns: 11,
} as const;

/** Words of a block's first chunk. */
export const BLOCK = { next: 0, link: 1, keyLength: 2, valueLength: 3, hash: 4, cas: 5 } as const;
export const FIRST_HEAD_BYTES = 24;
export const NEXT_HEAD_BYTES = 4;

/** Words of a queue. */
export const QUEUE = {
  /** Block with its name; 0: there is no such queue. */
  name: 0,
  head: 1,
  tail: 2,
  items: 3,
  bytes: 4,
  /** Items of which the receiver has not been told. */
  untold: 5,
  /** Not 0 while a message to the receiver is under way. */
  rung: 6,
  /** Serial number of the process that is told; 0: nobody. */
  receiver: 7,
} as const;
export const QUEUE_WORDS = 8;

/** Words of a receiver: when it has registered, and the serial number of its process, 0: free. */
export const RECEIVER = { order: 0, serial: 1 } as const;
export const RECEIVER_WORDS = 2;

/** A power of two; with all keys there are 0.6 in each. */
export const BUCKETS = 16_384;
export const BUCKETS_AT = 64;
const QUEUES_AT = BUCKETS_AT + BUCKETS;
const RECEIVERS_AT = QUEUES_AT + LIMITS.sharedQueuesMax * QUEUE_WORDS;
const RECEIVERS_END =
  RECEIVERS_AT + LIMITS.sharedQueuesMax * LIMITS.sharedQueueReceiversMax * RECEIVER_WORDS;
/** Chunk 0 is never used; it takes the place in front of the first one. */
const CHUNKS_AT = Math.ceil(RECEIVERS_END / CHUNK_WORDS) * CHUNK_WORDS - CHUNK_WORDS;

export const CHUNKS = Math.floor((LIMITS.sharedStoreBytes / 4 - CHUNKS_AT) / CHUNK_WORDS) - 1;

/** Word of a chunk's start. */
export function chunkAt(chunk: number): number {
  return CHUNKS_AT + chunk * CHUNK_WORDS;
}

/** Word of a queue's start. */
export function queueAt(queue: number): number {
  return QUEUES_AT + queue * QUEUE_WORDS;
}

/** Word of the start of a queue's receivers. */
export function receiversAt(queue: number): number {
  return RECEIVERS_AT + queue * LIMITS.sharedQueueReceiversMax * RECEIVER_WORDS;
}

/** Number of chunks of a block with that many bytes of key and value. */
export function chunksFor(byteLength: number): number {
  const more = byteLength - (CHUNK_BYTES - FIRST_HEAD_BYTES);
  return more <= 0 ? 1 : 1 + Math.ceil(more / (CHUNK_BYTES - NEXT_HEAD_BYTES));
}
