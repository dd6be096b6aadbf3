import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { type Command, PinnedServer } from "./process.ts";

/** What a server needs to be started in a place, which is the folder that its command runs in. */
export interface Prepared {
  /** By path below the folder. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly command: Omit<Command, "cwd">;
}

/** A folder for one server, and a port on 127.0.0.1; the folder goes when it is disposed of. */
export class Place implements AsyncDisposable {
  readonly folder: string;
  readonly port = freePort();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), "bench-"));
    await chmod(folder, 0o755); // Workers of nginx, started by root, are another user.
    return new Place(folder);
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

/** Writes the files and starts it; resolves when it accepts connections. */
export async function startPrepared(
  prepared: Prepared,
  place: Place,
  cores: string,
): Promise<PinnedServer> {
  await place.write(prepared);
  return PinnedServer.start({ ...prepared.command, cwd: place.folder }, cores, place.port);
}
