import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort, PinnedServer } from "./process.ts";

/** Bodies that the upstream has: /1024 has so many bytes. "/" says 55 bytes, "/post" takes any. */
export const SIZES = [4096, 20_480, 102_400, 10_485_760] as const;

const GREETING = "Fifty-five bytes, of which the upstream needs no file.\n";

/** One nginx worker that answers as fast as it can. */
export async function startUpstream(folder: string, core: string): Promise<PinnedServer> {
  const port = freePort();
  await mkdir(join(folder, "www"), { recursive: true });
  for (const size of SIZES) {
    await Bun.write(join(folder, "www", String(size)), "x".repeat(size));
  }
  const configuration = `
daemon off; pid ${folder}/nginx.pid; worker_processes 1; error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; default_type text/plain;
  keepalive_requests 100000000; client_max_body_size 100m; sendfile on; open_file_cache max=100;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder}/www;
    location = / { return 200 "${GREETING.trim()}\\n"; }
    location = /post { return 200 "${GREETING.trim()}\\n"; }
  }
}
`;
  await Bun.write(join(folder, "nginx.conf"), configuration);
  const cmd = ["nginx", "-p", folder, "-c", "nginx.conf"];
  return PinnedServer.start({ cmd, cwd: folder }, core, port);
}
