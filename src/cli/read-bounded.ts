import { messageOf } from "../base/errors.ts";

/** @throws Error that names the file: it cannot be read, or has more bytes than `bytesMax` */
export async function readBounded(file: string, bytesMax: number): Promise<Uint8Array> {
  const source = Bun.file(file);
  if (source.size > bytesMax) {
    throw new Error(`Cannot read ${file}: it has ${source.size} bytes, the limit is ${bytesMax}`);
  }
  try {
    return await source.bytes();
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
