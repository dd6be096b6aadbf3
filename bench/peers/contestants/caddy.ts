import { type Contestant, isPlain, KEPT_ALIVE } from "../contestant.ts";

export const caddy: Contestant = {
  name: "Caddy",
  needs: ["caddy"],
  version: ["caddy", "version"],
  warmUpSeconds: 1,
  suits: isPlain,
  prepare: ({ workers }, { folder, port, upstream, executable }) => ({
    files: {
      Caddyfile: `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
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
  }),
};
