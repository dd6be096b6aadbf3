import { mkdtemp, rm, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conditions } from "./conditions.ts";
import { ROOT } from "./contestant.ts";
import { sluice } from "./contestants/sluice.ts";
import { pickCores } from "./cores.ts";
import { freePort, PinnedServer } from "./process.ts";

/** What Sluice needs with the shipped gateway.yaml and two workers before anybody asks anything. */
export interface Footprint {
  /** From the start of the process to the first connection that is served, run by run. */
  readonly startMs: readonly number[];
  /** Of all processes, idle; shared pages count once. */
  readonly idlePssBytes: readonly number[];
  readonly conditions: string;
}

/** Chosen like a case. */
export const FOOTPRINT = "start and memory";

/** After that the workers have given back what only their start took. */
const IDLE_MS = 3000;
const START_MS_MAX = 20_000;

export async function measureFootprint(runs: number): Promise<Footprint> {
  const folder = await mkdtemp(join(tmpdir(), "footprint-"));
  const startMs: number[] = [];
  const idlePssBytes: number[] = [];
  try {
    await symlink(join(ROOT, "plugins"), join(folder, "plugins"));
    const shipped = await Bun.file(join(ROOT, "gateway.yaml")).text();
    for (let n = 0; n < runs; n++) {
      const port = freePort();
      const yaml = shipped.replace(":9080", `:${port}`).replace("workers: auto", "workers: 2");
      await Bun.write(join(folder, "gateway.yaml"), yaml);
      const cmd = [...sluice.needs, "run", "gateway.yaml"];
      const since = performance.now();
      await using server = PinnedServer.spawn({ cmd, cwd: folder }, pickCores().both, port);
      startMs.push(await untilServed(port, since));
      await Bun.sleep(IDLE_MS);
      idlePssBytes.push(server.pssBytes());
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return { startMs, idlePssBytes, conditions: await conditions() };
}

/** @returns ms from `since` to the connection that gets the first answer */
async function untilServed(port: number, since: number): Promise<number> {
  for (;;) {
    const opened = await ask(port);
    if (opened !== undefined) return opened - since;
    if (performance.now() - since > START_MS_MAX) throw new Error("Cannot start the gateway");
    await Bun.sleep(1);
  }
}

/**
 * @returns when the connection was open; undefined without an answer, for a master may open the
 * port only to see whether it can
 */
function ask(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    let opened = 0;
    const socket = connect(port, "127.0.0.1", () => {
      opened = performance.now();
      socket.write("GET /wasm/get HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    });
    socket.once("data", (bytes) => {
      resolve(bytes.toString("latin1").startsWith("HTTP/1.1 200") ? opened : undefined);
      socket.destroy();
    });
    socket.once("error", () => {}); // Then it closes.
    socket.once("close", () => resolve(undefined));
  });
}
