import { type NodeServer, startNodeServer } from "./node-server.ts";

export type GrpcServer = NodeServer;

/** A gRPC server: grpc-server.mjs says what its methods do. */
export function startGrpcServer(
  options: { readonly port?: number; readonly streamsMax?: number } = {},
): Promise<GrpcServer> {
  return startNodeServer("grpc-server.mjs", {
    PORT: String(options.port ?? 0),
    STREAMS_MAX: String(options.streamsMax ?? 100),
  });
}
