import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * The fields of a protobuf message whose type is known to the reader: the last of each number, as
 * proto3 has it. What is missing is empty, 0 or false.
 */
export class MessageFields {
  readonly #texts = new Map<number, Uint8Array>();
  readonly #numbers = new Map<number, bigint>();

  private constructor() {}

  /** @returns undefined when the bytes are no message */
  static of(bytes: Uint8Array): MessageFields | undefined {
    const fields = new MessageFields();
    try {
      const reader = new BinaryReader(bytes);
      while (reader.pos < reader.len) fields.#take(reader);
      return fields;
    } catch {
      return undefined; // Whatever is wrong with it: a tag, a length, its end.
    }
  }

  bytes(number: number): Uint8Array {
    return this.#texts.get(number) ?? NOTHING;
  }

  /** One char per byte. */
  latin1(number: number): string {
    return Buffer.from(this.bytes(number)).toString("latin1");
  }

  bool(number: number): boolean {
    return (this.#numbers.get(number) ?? 0n) !== 0n;
  }

  /** An enumeration's number; what does not fit into 32 bits is cut. */
  enumeration(number: number): number {
    return Number(BigInt.asIntN(32, this.#numbers.get(number) ?? 0n));
  }

  #take(reader: BinaryReader): void {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) this.#texts.set(number, reader.bytes());
    else if (type === WireType.Varint) this.#numbers.set(number, BigInt(reader.uint64()));
    else reader.skip(type, number);
  }
}

const NOTHING = new Uint8Array(0);
