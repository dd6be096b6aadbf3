import {
  CERT,
  certificateFiles,
  type Contestant,
  isPlain,
  KEPT_ALIVE,
  KEY,
  type Site,
} from "../contestant.ts";
import type { Prepared } from "../place.ts";

export const caddy: Contestant = {
  name: "Caddy",
  needs: ["caddy"],
  version: ["caddy", "version"],
  warmUpSeconds: 1,
  suits: isPlain,
  prepare: ({ workers, tls = false }, site) => prepare(workers, tls, site),
};

function prepare(workers: number, tls: boolean, site: Site): Prepared {
  const { folder, port, upstream, executable } = site;
  return {
    files: {
      ...certificateFiles(site),
      Caddyfile: `{
  admin off
  auto_https off
}
${tls ? "https" : "http"}://127.0.0.1:${port} {
  bind 127.0.0.1
  ${tls ? `tls ${CERT} ${KEY}` : ""}
  reverse_proxy 127.0.0.1:${upstream} {
    transport http {
      keepalive_idle_conns_per_host ${KEPT_ALIVE}
    }
  }
}
`,
    },
    command: {
      cmd: [executable, "run", "--config", "Caddyfile"],
      env: { GOMAXPROCS: String(workers), HOME: folder, XDG_DATA_HOME: folder },
    },
  };
}
