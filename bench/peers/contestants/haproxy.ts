import { CONNECTIONS_MAX, type Contestant, isPlain } from "../contestant.ts";

export const haproxy: Contestant = {
  name: "HAProxy",
  needs: ["haproxy"],
  version: ["haproxy", "-v"],
  warmUpSeconds: 1,
  suits: isPlain,
  prepare: ({ workers }, { port, upstream, executable }) => ({
    files: {
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
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  default_backend node
backend node
  server node 127.0.0.1:${upstream}
`,
    },
    command: { cmd: [executable, "-f", "haproxy.cfg"] },
  }),
};
