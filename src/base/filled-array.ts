/**
 * An array that has the same in every place. Array.from() calls a function for each place, which is
 * a part of a start that can be seen: thousands of places are made before anything runs hot.
 */
export function filledArray<T>(length: number, value: T): T[] {
  // eslint-disable-next-line unicorn/no-new-array -- it is a length
  return new Array<T>(length).fill(value);
}
