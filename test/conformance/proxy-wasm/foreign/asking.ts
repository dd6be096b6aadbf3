import { quote } from "../../../../src/plugin-run/render.ts";
import { type Call, out } from "../../probe.ts";

/** A call of a foreign function, and what a transcript says of it. */
export interface Asking {
  readonly call: Call;
  readonly line: (result: string) => string;
}

/** @param argument text is one byte for each char */
export function asking(name: string, argument: string | Uint8Array = ""): Asking {
  const bytes = Buffer.from(argument as string, "latin1");
  const shown = quote(bytes.toString("latin1"));
  return {
    call: [
      "proxy_call_foreign_function",
      { bytes: Buffer.from(name) },
      { bytes },
      out("results"),
      out("length"),
    ],
    line: (result) => `proxy_call_foreign_function(name="${name}", arguments=${shown}) = ${result}`,
  };
}

/** What is handed over. */
export function ok(result: string | Uint8Array): string {
  return `Ok -> results=${quote(Buffer.from(result as string, "latin1").toString("latin1"))}`;
}

/** Fields of a protobuf message: a number is a varint, everything else bytes. */
export function message(fields: Readonly<Record<number, number | string | Uint8Array>>): Buffer {
  const parts = Object.entries(fields).map(([number, value]) => {
    if (typeof value === "number") return Buffer.concat([tag(number, 0), varint(value)]);
    const bytes = Buffer.from(value as string, "latin1");
    return Buffer.concat([tag(number, 2), varint(bytes.byteLength), bytes]);
  });
  return Buffer.concat(parts);
}

function tag(number: string, type: number): Buffer {
  return varint(Number(number) * 8 + type);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}
