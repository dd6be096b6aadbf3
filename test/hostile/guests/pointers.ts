import { HOST_FUNCTION_SIGNATURES } from "../../../src/abi/proxy-wasm/signatures.ts";
import { WASI_SIGNATURES } from "../../../src/abi/wasi/signatures.ts";
import { pairs, quoted } from "../assemble.ts";
import { attack, FAILED, FLOODED, type HostileGuest, SERVED } from "../guest.ts";

/**
 * Every host function with addresses, lengths, types and ids that make no sense: all arguments the
 * same, one bad among good ones, and windows that overlap. What they answer is not looked at; that
 * the exchange, and everybody else's, goes on as if nothing had happened is.
 */
const HOSTILE = [
  "0",
  "1",
  "-1",
  "-4",
  "-65536",
  "65532",
  "65535",
  "65536",
  "0x7fffffff",
  "0x80000000",
  "0x80000001",
];
/** Within the memory, and of a length that fits. */
const SANE = "64";

/** Those that end the exchange, or the guest, when they are asked to: that is their purpose. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  proxy_close_stream: ["502 FILTER_RESET"],
  proc_exit: FAILED,
};

function argument(letter: string, value: string): string {
  return letter === "I" ? `(i64.const ${value})` : `#${value}`;
}

function callsOf(name: string, signature: string): string {
  const [parameters = "", results = ""] = signature.split(">");
  const letters = Array.from(parameters);
  const call = (values: readonly string[]): string => {
    const text = letters.map((letter, at) => argument(letter, values[at] ?? SANE)).join(" ");
    return results === "" ? `(call $${name} ${text})` : `(drop (call $${name} ${text}))`;
  };
  const calls = HOSTILE.map((value) => call(letters.map(() => value)));
  for (const [at] of letters.entries()) {
    for (const value of HOSTILE) {
      calls.push(call(letters.map((_, other) => (other === at ? value : SANE))));
    }
  }
  return calls.join("\n");
}

type Signature = readonly [name: string, signature: string];

/** All of one guest's calls, in its first callback. */
function guestFor(name: string, functions: readonly Signature[]): HostileGuest {
  return {
    name: `pointers-${name.replaceAll("_", "-")}`,
    wat: attack("request_headers", functions.map((each) => callsOf(...each)).join("\n")),
    expect: ENDS[name] ?? SERVED,
  };
}

/** WASI's functions by the first part of their names: most of them do nothing here. */
function wasiFamilies(): HostileGuest[] {
  const families = new Map<string, Signature[]>();
  for (const [name, signature] of Object.entries(WASI_SIGNATURES)) {
    const family = name in ENDS ? name : (name.split("_")[0] ?? name);
    families.set(family, [...(families.get(family) ?? []), [name, signature]]);
  }
  return [...families].map(([family, functions]) => guestFor(family, functions));
}

/** Header pairs that contradict themselves. */
const TORN: Readonly<Record<string, Uint8Array>> = {
  "count-2-31": Uint8Array.from([0, 0, 0, 0x80, 1, 0, 0, 0]),
  "count-2-32": Uint8Array.from([255, 255, 255, 255]),
  "count-one-too-many": Uint8Array.from([2, ...pairs([["a", "b"]]).subarray(1)]),
  "count-one-too-few": Uint8Array.from([
    1,
    ...pairs([
      ["a", "b"],
      ["c", "d"],
    ]).subarray(1),
  ]),
  "length-2-32": Uint8Array.from([1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 97, 0, 98, 0]),
  "length-that-overflows": Uint8Array.from([
    2, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 1, 0, 0, 0, 97, 0, 98, 0, 99, 0, 100, 0,
  ]),
  "no-end": Uint8Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 97, 0, 98]),
  "no-nul": Uint8Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 97, 120, 98, 120]),
  "three-bytes": Uint8Array.from([1, 0, 0]),
};
const BAD_ARGUMENT = 2;

const tornPairs = Object.entries(TORN).map(([name, bytes]): HostileGuest => {
  const at = `#32768 #${bytes.byteLength}`;
  return {
    name: `pointers-pairs-${name}`,
    wat: `(data (i32.const 32768) ${quoted(bytes)}) ${attack(
      "request_headers",
      `(call $expect (call $proxy_set_header_map_pairs #0 ${at}) #${BAD_ARGUMENT})
      (call $expect
        (call $proxy_http_call #16 #8 ${at} #0 #0 #0 #0 #0 #64) #${BAD_ARGUMENT})
      (call $expect
        (call $proxy_send_local_response #418 #0 #0 #0 #0 ${at} #-1) #${BAD_ARGUMENT})`,
    )}`,
    expect: SERVED,
  };
});

export const POINTERS: readonly HostileGuest[] = [
  ...Object.entries(HOST_FUNCTION_SIGNATURES)
    .filter(([, signature]) => !signature.startsWith(">"))
    .map((each) => guestFor(each[0], [each])),
  ...wasiFamilies(),
  ...tornPairs,
  {
    // 65,536 bytes of header pairs that are all lengths, again and again.
    name: "pointers-pairs-of-all-lengths",
    wat: attack(
      "request_headers",
      `(memory.fill #32768 #1 #32768) (i32.store #32768 #1024)
      (loop $l (drop (call $proxy_set_header_map_pairs #2 #32768 #32768)) (br $l))`,
    ),
    settings: "limits: { deadline: 2ms }",
    expect: FLOODED,
  },
  {
    name: "pointers-iovecs-that-overlap",
    wat: attack(
      "request_headers",
      `(i32.store #32768 #32768) (i32.store #32772 #32768)
      (memory.copy #32776 #32768 #8192)
      (drop (call $fd_write #1 #32768 #1024 #32768))
      (drop (call $fd_write #2 #32768 #0x20000001 #64))
      (drop (call $fd_write #2 #-8 #1 #64))`,
    ),
    expect: SERVED,
  },
  {
    name: "pointers-out-pointers-in-the-data",
    wat: attack(
      "request_headers",
      `(drop (call $proxy_get_header_map_value #0 #16 #8 #16 #16))
      (drop (call $proxy_get_header_map_pairs #0 #16 #17))
      (drop (call $proxy_get_header_map_pairs #0 #4096 #4100))`,
    ),
    expect: SERVED,
  },
];
