/**
 * Id of the first queue of a run; the next ones follow. A run's queues belong to no process but its
 * own, and such ids are counted down from the end of what an i32 can be.
 */
export const FIRST_QUEUE = 0x7fff_ff80;
