import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { makeCertificate } from "../../test/support/certificates.ts";
import { LIMITS } from "../base/limits.ts";
import type { Config, ListenerConfig } from "../config/config.ts";
import { promised } from "../proxy/front/front.ts";
import { answer, eventually, refuse } from "../proxy/front/http1/http1.testing.ts";
import type { Certificate } from "./certificates.ts";
import { Fronts, ListenRefused } from "./fronts.ts";
import { assignPorts } from "./ports.ts";

/** One listener on a port of its own. */
function listenerOf(change: Partial<ListenerConfig> = {}): ListenerConfig {
  const position = { line: 1, column: 1, length: 1 };
  const address = "127.0.0.1:0";
  const written = { address, host: "127.0.0.1", port: 0, front: "auto", tls: true, position };
  const listener = { ...written, ...change } as ListenerConfig;
  const config = { listeners: [listener] } as unknown as Config;
  return assignPorts(config, new Map()).listeners[0] as ListenerConfig;
}

/** Another one each time; its name says which. */
function certificate(name: string): Certificate {
  return { snis: [name], ...makeCertificate([name]), hash: name };
}

const opened: { fronts: Fronts; clients: TLSSocket[] }[] = [];

function startFronts() {
  const fronts = new Fronts({ handle: promised(async () => answer("ok")), refuse });
  const clients: TLSSocket[] = [];
  opened.push({ fronts, clients });
  const serve = (listener: ListenerConfig, certificates: readonly Certificate[]): void => {
    fronts.open([listener], certificates);
    fronts.commit();
  };
  const client = async (port: number, servername = ""): Promise<TLSSocket> => {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
    socket.on("error", () => {});
    clients.push(socket);
    await once(socket, "secureConnect");
    return socket;
  };
  const shown = async (port: number, servername?: string): Promise<string> => {
    const socket = await client(port, servername);
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  };
  return { fronts, serve, client, shown };
}

afterEach(async () => {
  for (const { fronts, clients } of opened.splice(0)) {
    for (const client of clients) client.destroy();
    await fronts.stop();
  }
});

/** One request and the head of its answer; "closed" when the connection is. */
async function ask(client: TLSSocket): Promise<string> {
  if (client.closed || client.destroyed) return "closed";
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { promise, resolve } = Promise.withResolvers<string>();
  client.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1").slice(0, 15)));
  client.once("close", () => resolve("closed"));
  return promise;
}

describe("Fronts", () => {
  test("keeps a listener open while nothing about it changes", async () => {
    const { serve, client } = startFronts();
    const listener = listenerOf();
    const certificates = [certificate("a.test")];
    serve(listener, certificates);
    const before = await client(listener.port);
    serve(listener, certificates);
    expect(await ask(before)).toBe("HTTP/1.1 200 OK");
  });

  test("shows a new certificate to new connections, and leaves the others alone", async () => {
    const { serve, client, shown } = startFronts();
    const listener = listenerOf();
    serve(listener, [certificate("a.test")]);
    const before = await client(listener.port);
    serve(listener, [certificate("b.test")]);
    for (let n = 0; n < 8; n++) expect(await shown(listener.port)).toBe("b.test");
    for (let n = 0; n < 3; n++) expect(await ask(before)).toBe("HTTP/1.1 200 OK");
  });

  test("puts several certificates on serve, and goes back to http1 with one", async () => {
    const { serve, client, shown } = startFronts();
    const listener = listenerOf();
    const [a, b] = [certificate("a.test"), certificate("b.test")];
    serve(listener, [a]);
    const before = await client(listener.port);
    serve(listener, [a, b]);
    expect(await shown(listener.port, "b.test")).toBe("b.test");
    expect(await shown(listener.port, "c.test")).toBe("a.test");
    expect(await shown(listener.port)).toBe("a.test");
    serve(listener, [b]);
    expect(await shown(listener.port, "a.test")).toBe("b.test");
    expect(await ask(before)).toBe("HTTP/1.1 200 OK");
  });

  test("shows the certificate of the exact name before that of a wildcard", async () => {
    const { serve, shown } = startFronts();
    const listener = listenerOf();
    const [wild, exact] = [certificate("*.a.test"), certificate("b.a.test")];
    for (const certificates of [
      [wild, exact],
      [exact, wild],
    ]) {
      serve(listener, certificates);
      expect(await shown(listener.port, "b.a.test")).toBe("b.a.test");
      expect(await shown(listener.port, "B.A.Test")).toBe("b.a.test");
      expect(await shown(listener.port, "c.a.test")).toBe("*.a.test");
    }
  });

  test("forgets what it had opened when the generation is refused", async () => {
    const { fronts, serve, shown } = startFronts();
    const listener = listenerOf();
    serve(listener, [certificate("a.test")]);
    fronts.open([listener], [certificate("b.test")]);
    fronts.abort();
    for (let n = 0; n < 8; n++) expect(await shown(listener.port)).toBe("a.test");
    const broken = { ...certificate("c.test"), key: "no key" };
    expect(() => fronts.open([listener], [broken])).toThrow(ListenRefused);
    fronts.abort();
    expect(await shown(listener.port)).toBe("a.test");
  });

  test("closes the connections of old certificates, beyond so many of these", async () => {
    const { serve, client } = startFronts();
    const listener = listenerOf();
    const clients: TLSSocket[] = [];
    for (let n = 0; n <= LIMITS.retiredFrontsMax + 1; n++) {
      serve(listener, [certificate(`a${n}.test`)]);
      clients.push(await client(listener.port));
    }
    // One is current, so many are retired, and one is too old.
    await eventually(() => clients[0]?.closed === true);
    for (const each of clients.slice(1)) expect(await ask(each)).toBe("HTTP/1.1 200 OK");
  });

  test("counts no certificate whose last connection has gone", async () => {
    const { serve, client } = startFronts();
    const listener = listenerOf();
    serve(listener, [certificate("a.test")]);
    const first = await client(listener.port);
    for (let n = 0; n <= LIMITS.retiredFrontsMax + 1; n++) {
      serve(listener, [certificate(`b${n}.test`)]);
      const next = await client(listener.port);
      next.destroy();
      await once(next, "close");
    }
    serve(listener, [certificate("c.test")]);
    expect(await ask(first)).toBe("HTTP/1.1 200 OK");
  });

  test("closes idle connections of a listener that is gone, old ones included", async () => {
    const { fronts, serve, client } = startFronts();
    const listener = listenerOf();
    serve(listener, [certificate("a.test")]);
    const clients = [await client(listener.port)];
    serve(listener, [certificate("b.test")]);
    clients.push(await client(listener.port));
    for (const each of clients) expect(await ask(each)).toBe("HTTP/1.1 200 OK");
    fronts.open([], []);
    fronts.commit();
    await eventually(() => clients.every(({ closed }) => closed));
  });

  test("opens no TLS where none is asked for, whatever certificates there are", async () => {
    const { serve } = startFronts();
    const listener = listenerOf({ tls: false });
    serve(listener, [certificate("a.test"), certificate("b.test")]);
    const response = await fetch(`http://127.0.0.1:${listener.port}/`);
    expect(await response.text()).toBe("ok");
  });
});
