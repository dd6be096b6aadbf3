import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Setup } from "./contestant.ts";
import { CONTESTANTS, isInstalled, prepareIn } from "./contestants.ts";
import { type Command, freePort, PinnedServer } from "./process.ts";

/** What a server needs to be started: its files, by path below its folder, and how. */
export interface Prepared {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly command: Command;
}

/** A folder for one server, and a port on 127.0.0.1; the folder goes when it is disposed of. */
export class Place implements AsyncDisposable {
  readonly folder: string;
  readonly port = freePort();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), "bench-")));
  }

  async write({ files }: Prepared): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, name)), { recursive: true });
      await Bun.write(join(this.folder, name), content);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * What the contestant of that name needs, in that place.
 * @param upstream its port
 * @returns undefined when it is not installed
 */
export function prepareContestant(
  name: string,
  setup: Setup,
  place: Place,
  upstream: number,
): Prepared | undefined {
  const contestant = CONTESTANTS.find((each) => each.name === name);
  if (contestant === undefined) throw new Error(`Cannot find the contestant "${name}"`);
  if (!isInstalled(contestant)) return undefined;
  const { folder, port } = place;
  return prepareIn(contestant, setup, { folder, port, upstream });
}

/** For the gateway of this tree. @param yaml its configuration */
export function prepareGateway(
  yaml: string,
  place: Place,
  files: Prepared["files"] = {},
): Prepared {
  const executable = join(import.meta.dir, "../../dist/sluice");
  return {
    files: { "gateway.yaml": yaml, ...files },
    command: { cmd: [executable, "run", "gateway.yaml"], cwd: place.folder },
  };
}

/** Writes the files and starts it; resolves when it accepts connections. */
export async function startPrepared(
  prepared: Prepared,
  place: Place,
  cores: string,
): Promise<PinnedServer> {
  await place.write(prepared);
  return PinnedServer.start(prepared.command, cores, place.port);
}

/** Rows of cells as Markdown, the first column left, the others right. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, n) => (n === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
