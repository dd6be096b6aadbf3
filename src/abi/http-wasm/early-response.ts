import { HeaderList } from "../../http/headers.ts";
import type { ResponseHead } from "../../filter/filter.ts";
import { GuestBody } from "./guest-body.ts";
import { STATUS_DEFAULT } from "./types.ts";

/**
 * The response as far as a guest makes it in handle_request, before there is one.
 *
 *   next = 0 ─▶ it is the response
 *   next = 1 ─▶ it is laid over the one that comes: a status and a body in place of its own, set
 *               headers in place of those of the same name, added ones beside them
 */
export class EarlyResponse {
  /** undefined: the guest has set none. */
  status: number | undefined;
  readonly headers = new HeaderList();
  readonly trailers = new HeaderList();
  readonly body = new GuestBody();
  /** Lower-case names that were set and not only added; each is one of `headers`. */
  readonly #set = new Set<string>();

  get statusNow(): number {
    return this.status ?? STATUS_DEFAULT;
  }

  /** The header of that name was set or removed. @param key lower-case */
  noteSet(key: string): void {
    if (this.headers.has(key)) this.#set.add(key);
    else this.#set.delete(key);
  }

  /** @param hasBody the guest's body takes the place of the response's own */
  layOver(response: ResponseHead, hasBody: boolean): void {
    if (this.status !== undefined) response.status = this.status;
    // It tells how the body is encoded that is gone; the guest could not know.
    if (hasBody) response.headers.remove("content-encoding");
    for (const key of this.#set) response.headers.remove(key);
    for (const [name, value] of this.headers) response.headers.append(name, value);
  }
}
