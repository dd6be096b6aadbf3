import { messageOf } from "../base/errors.ts";
import { print } from "../base/standard-streams.ts";
import { type HttpbinServer, serveHttpbin } from "../httpbin/server.ts";
import { parse, UsageError } from "./args.ts";
import type { Command } from "./command.ts";

export const httpbin: Command = {
  usage: "httpbin [--listen ADDRESS]",
  summary: "Serve the embedded test upstream",
  details: `
  --listen ADDRESS   host:port, default 127.0.0.1:8080; port 0 lets the system choose

The same upstream as \`nodes: { "builtin:httpbin": 1 }\`. Its index page lists the endpoints.`,
  async run(args) {
    const { values } = parse(args, { listen: { type: "string" } }, 0);
    const server = listen(values["listen"] ?? "127.0.0.1:8080");
    print(`httpbin: listening on ${server.address}\n`);
    await new Promise<void>((resolve) => {
      process.on("SIGTERM", resolve);
      process.on("SIGINT", resolve);
    });
    await server.stop();
    return 0;
  },
};

function listen(text: string): HttpbinServer {
  const at = address(text);
  try {
    return serveHttpbin(at);
  } catch (error) {
    throw new Error(`Cannot listen on ${text}: ${messageOf(error)}`, { cause: error });
  }
}

function address(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new UsageError(`--listen takes host:port, not "${text}"`);
  }
  return { host: match[1] ?? (match[2] === "" ? "0.0.0.0" : (match[2] ?? "")), port };
}
