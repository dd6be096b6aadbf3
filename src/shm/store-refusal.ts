/** Why a store does not do what it is asked for; the caller tells the operator. */
export type StoreRefusalCode =
  | "SHARED_DATA_FULL"
  | "SHARED_QUEUE_FULL"
  | "SHARED_STORE_BUSY"
  | "SHARED_STORE_UNAVAILABLE";

export class StoreRefusal extends Error {
  override readonly name = "StoreRefusal";
  readonly code: StoreRefusalCode;

  /** @param what action first, then values and limits */
  constructor(code: StoreRefusalCode, what: string) {
    super(what);
    this.code = code;
  }
}
