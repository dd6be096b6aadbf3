import type { Guest } from "./guest.ts";
import { Status } from "./types.ts";

const notFound = (): Status => Status.NotFound;

/** gRPC calls are not made yet; these are the answers that the SDKs take without a panic. */
export function grpcFunctions(guest: Guest) {
  const cannotCall = (): Status => {
    guest.resources.log.warnOnce("grpc", "gRPC calls of plugins are not supported: they fail");
    return Status.InternalFailure;
  };
  return {
    proxy_grpc_call: cannotCall,
    proxy_grpc_stream: cannotCall,
    proxy_grpc_send: notFound,
    proxy_grpc_cancel: notFound,
    proxy_grpc_close: notFound,
  };
}
