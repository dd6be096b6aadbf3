/** The numbers of the http-wasm handler ABI. Names are the specification's. */

export const Feature = { BufferRequest: 1, BufferResponse: 2, Trailers: 4 } as const;
/** All of them; unknown bits stay clear. */
export const FEATURES_KNOWN = Feature.BufferRequest | Feature.BufferResponse | Feature.Trailers;

export const HeaderKind = {
  Request: 0,
  Response: 1,
  RequestTrailers: 2,
  ResponseTrailers: 3,
} as const;
export type HeaderKind = (typeof HeaderKind)[keyof typeof HeaderKind];

export const BodyKind = { Request: 0, Response: 1 } as const;

/** What `get_status_code` says before there is a response. */
export const STATUS_DEFAULT = 200;
