/**
 * Why a module's bytes were refused. Data for diagnostics: `code` for machines, `offset` for who
 * opens the file in a hex editor.
 */
export type ModuleErrorCode =
  | "TOO_LARGE"
  | "NOT_WASM"
  | "TRUNCATED"
  | "MALFORMED"
  | "UNSUPPORTED"
  | "INVALID";

export class ModuleError extends Error {
  override readonly name = "ModuleError";
  readonly code: ModuleErrorCode;
  /** Byte of the file at which reading stopped; undefined when the file as a whole is meant. */
  readonly offset: number | undefined;

  /** @param what action first, then values and limit; the offset is added to the message */
  constructor(
    code: ModuleErrorCode,
    what: string,
    options: { offset?: number; cause?: unknown } = {},
  ) {
    super(options.offset === undefined ? what : `${what} (at byte ${options.offset})`, {
      cause: options.cause,
    });
    this.code = code;
    this.offset = options.offset;
  }
}
