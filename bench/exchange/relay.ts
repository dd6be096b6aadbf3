/**
 * What stands between clients and an upstream and does nothing: bytes go as they come, over a
 * connection that is nobody's at the moment. Its cost is that of the sockets.
 *
 *   bun bench/exchange/relay.ts PORT UPSTREAM_PORT
 *
 * It takes each chunk for a whole message, which small ones on one machine are.
 */
import type { Socket } from "bun";

interface NodeSide {
  client: Socket | undefined;
}

const [port, upstream] = Bun.argv.slice(2).map(Number);
if (port === undefined || upstream === undefined) throw new Error("Cannot relay without two ports");

const idle: Socket<NodeSide>[] = [];

const node = {
  binaryType: "uint8array",
  data(socket: Socket<NodeSide>, chunk: Uint8Array): void {
    const { client } = socket.data;
    socket.data.client = undefined;
    idle.push(socket);
    client?.write(chunk);
  },
} as const;

Bun.listen({
  hostname: "127.0.0.1",
  port,
  socket: {
    data(client: Socket, chunk: Uint8Array): void {
      const free = idle.pop();
      if (free === undefined) {
        void open(client, chunk);
        return;
      }
      free.data.client = client;
      free.write(chunk);
    },
  },
});

async function open(client: Socket, chunk: Uint8Array): Promise<void> {
  const data: NodeSide = { client };
  const socket = await Bun.connect<NodeSide>({
    hostname: "127.0.0.1",
    port: upstream ?? 0,
    data,
    socket: node,
  });
  socket.write(chunk);
}
