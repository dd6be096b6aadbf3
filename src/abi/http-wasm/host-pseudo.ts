import type { RequestHead } from "../../filter/filter.ts";
import { isAuthority } from "../proxy-wasm/header-rules.ts";
import type { PseudoHeaders } from "../proxy-wasm/pseudo-headers.ts";

const NAMES = ["host"];

/** Host is a header to guests of this ABI, and a field of the head here. */
export class HostPseudoHeader implements PseudoHeaders {
  readonly names = NAMES;
  readonly #head: RequestHead;

  constructor(head: RequestHead) {
    this.#head = head;
  }

  nameOf(key: string): string | undefined {
    return key === "host" || key.startsWith(":") ? key : undefined;
  }

  read(): string {
    return this.#head.authority;
  }

  write(name: string, value: string): boolean {
    if (name !== "host" || !isAuthority(value)) return false;
    this.#head.authority = value;
    return true;
  }
}
