import { signature } from "../../../src/abi/signature.ts";
import { WASI_SIGNATURES } from "../../../src/abi/wasi/signatures.ts";
import { type Case, casesOf, type Conformance } from "../case.ts";
import { type Arg, type Call, MAX } from "../probe.ts";
import { underBothNames } from "../wasi-names.ts";
import { ERRNO_ONLY } from "../wasi-results.ts";

/** What every parameter is set to in turn: small ones, the ends of i32, pointers beyond memory. */
const NUMBERS: readonly number[] = [0, 1, 3, 65_535, 0x7fff_ffff, 0x8000_0000, MAX];

function callsOf(module: string, name: keyof typeof ERRNO_ONLY): Call[] {
  const { params } = signature(WASI_SIGNATURES[name]);
  return NUMBERS.map((number): Call => {
    const args = params.map((type): Arg => (type === "i64" ? BigInt(number) : number));
    return [`${module}:${name}`, ...args];
  });
}

/** What a transcript tells of the arguments, when all have the same number. */
const SHOWN: Partial<Record<keyof typeof ERRNO_ONLY, (number: number) => string>> = {
  fd_close: (number) => `fd=${number}`,
  fd_seek: (number) => `fd=${number}, offset=${number}, whence=${number}`,
  fd_prestat_get: (number) => `fd=${number}`,
  fd_filestat_get: (number) => `fd=${number}`,
  fd_read: (number) => `fd=${number}, count=${number}`,
  fd_prestat_dir_name: (number) => `fd=${number}, length=${number}`,
  path_open: (number) => {
    const path = number > 3 ? "beyond-memory" : `"${"\\x00".repeat(number)}"`;
    return `fd=${number}, flags=${number}, path=${path}, oflags=${number}, fdflags=${number}`;
  },
};

/** Nothing is written, read or waited for: the answer depends on no argument. */
function casesFor(name: keyof typeof ERRNO_ONLY): readonly Case[] {
  const lines = [0, ...NUMBERS].map(
    (number) => `${name}(${SHOWN[name]?.(number) ?? ""}) = ${ERRNO_ONLY[name]}`,
  );
  return underBothNames((module) => [
    {
      name: `${name}() answers ${ERRNO_ONLY[name]}, whatever it is given`,
      guest: {
        startSection: { calls: callsOf(module, name).slice(0, 1) },
        on: { proxy_on_request_headers: { calls: callsOf(module, name) } },
      },
      lines,
    },
  ]);
}

export const alike: readonly Conformance[] = Object.keys(ERRNO_ONLY).map((name) =>
  casesOf(name, casesFor(name as keyof typeof ERRNO_ONLY)),
);
