/** The error numbers of WASI preview 1 that are answered here. */
export const ERRNO = {
  success: 0,
  badDescriptor: 8,
  fault: 21,
  invalid: 28,
  noEntry: 44,
  notImplemented: 52,
  notSupported: 58,
} as const;
