import { CONNECTIONS_MAX, type Contestant, isPlain } from "../contestant.ts";

/** Certificate and key in one file, as it wants them. */
const BOTH = "both.pem";

export const haproxy: Contestant = {
  name: "HAProxy",
  needs: ["haproxy"],
  version: ["haproxy", "-v"],
  warmUpSeconds: 1,
  suits: isPlain,
  prepare: ({ workers, tls = false }, { port, upstream, executable, certificate }) => ({
    files: {
      ...(certificate === undefined ? {} : { [BOTH]: certificate.cert + certificate.key }),
      "haproxy.cfg": `
global
  nbthread ${workers}
  maxconn ${CONNECTIONS_MAX}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend all
  bind 127.0.0.1:${port} ${tls ? `ssl crt ${BOTH} ssl-min-ver TLSv1.2` : ""}
  http-request set-header X-Forwarded-Proto ${tls ? "https" : "http"}
  default_backend node
backend node
  server node 127.0.0.1:${upstream}
`,
    },
    command: { cmd: [executable, "-f", "haproxy.cfg"] },
  }),
};
