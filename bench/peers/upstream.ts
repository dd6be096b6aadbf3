import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { find } from "./contestant.ts";
import { FORBIDDEN } from "./filters.ts";
import { freePort } from "../../test/support/free-port.ts";
import { PinnedServer } from "./process.ts";

/** Bodies that the upstream has: /1024 has so many bytes. */
const SIZES = [1024, 4096, 20_480, 102_400, 10_485_760] as const;

/** At "/", and wherever else no body of a certain size is. */
const GREETING = "Fifty-five bytes, of which the upstream needs no file.";

/** bytes; of the body that the upstream has for a path. */
export function bodyBytes(path: string): number {
  return SIZES.find((size) => path === `/${size}`) ?? GREETING.length + 1;
}

/**
 * One nginx worker that answers as fast as it can. /forbidden has the word that filters look for.
 * /post answers when it has read the whole body: an answer that comes before that would let a
 * gateway give the rest up.
 */
export async function startUpstream(folder: string, core: string): Promise<PinnedServer> {
  const nginx = find("nginx");
  if (nginx === undefined) throw new Error("Cannot measure without nginx: it is the upstream");
  const port = freePort();
  await mkdir(join(folder, "www"), { recursive: true });
  for (const size of SIZES) {
    await Bun.write(join(folder, "www", String(size)), "x".repeat(size));
  }
  await Bun.write(join(folder, "nginx.conf"), configuration(folder, port));
  const cmd = [nginx, "-p", folder, "-c", "nginx.conf"];
  return PinnedServer.start({ cmd, cwd: folder }, core, port);
}

function configuration(folder: string, port: number): string {
  return `
daemon off; pid ${folder}/nginx.pid; worker_processes 1; error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; default_type text/plain;
  proxy_temp_path ${folder}/proxy; client_body_buffer_size 1m; client_max_body_size 100m;
  keepalive_requests 100000000; sendfile on; open_file_cache max=100;
  upstream greeting { server unix:${folder}/greeting; keepalive 2048; }
  server { listen unix:${folder}/greeting; return 200 "${GREETING}\\n"; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder}/www;
    location = / { return 200 "${GREETING}\\n"; }
    location /item { return 200 "${GREETING}\\n"; }
    location = /forbidden { return 200 "Of ${FORBIDDEN} nobody may hear.\\n"; }
    location = /post {
      proxy_pass http://greeting; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length "";
    }
  }
}
`;
}
