/** The numbers of the Proxy-Wasm ABI. Names are the specification's. */

export type AbiVersion = "0.1.0" | "0.2.0" | "0.2.1";

/** What every host function answers. */
export const Status = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  SerializationFailure: 3,
  ParseFailure: 4,
  InvalidMemoryAccess: 6,
  Empty: 7,
  CasMismatch: 8,
  InternalFailure: 10,
  /** Of `proxy_get_status` after a call-out without an answer; no host function answers it. */
  BrokenConnection: 11,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

export const MapType = {
  HttpRequestHeaders: 0,
  HttpRequestTrailers: 1,
  HttpResponseHeaders: 2,
  HttpResponseTrailers: 3,
  GrpcReceiveInitialMetadata: 4,
  GrpcReceiveTrailingMetadata: 5,
  HttpCallResponseHeaders: 6,
  HttpCallResponseTrailers: 7,
} as const;
export const MAP_TYPE_MAX = MapType.HttpCallResponseTrailers;

export const BufferType = {
  HttpRequestBody: 0,
  HttpResponseBody: 1,
  DownstreamData: 2,
  UpstreamData: 3,
  HttpCallResponseBody: 4,
  GrpcReceiveBuffer: 5,
  VmConfiguration: 6,
  PluginConfiguration: 7,
  CallData: 8,
} as const;
export const BUFFER_TYPE_MAX = BufferType.CallData;

export const StreamType = { Request: 0, Response: 1, Downstream: 2, Upstream: 3 } as const;

export const MetricType = { Counter: 0, Gauge: 1, Histogram: 2 } as const;
export type MetricType = (typeof MetricType)[keyof typeof MetricType];

/** Answers of a request or response callback; every other number stops everything, too. */
export const ACTION_CONTINUE = 0;
export const ACTION_PAUSE = 1;

/** The root context of a guest: one guest runs one configured plugin. */
export const ROOT_CONTEXT_ID = 1;
/** Streams count up from here. */
export const FIRST_STREAM_ID = 2;
