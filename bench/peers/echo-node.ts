/** A WebSocket node that sends every message back. `bun echo-node.ts PORT` */
if (import.meta.main) {
  const port = Number(Bun.argv[2]);
  Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch(request, server) {
      return server.upgrade(request) ? undefined : new Response("up");
    },
    websocket: {
      message(socket, message) {
        socket.send(message);
      },
    },
  });
}
