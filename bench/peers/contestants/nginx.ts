import {
  CERT,
  certificateFiles,
  CONNECTIONS_MAX,
  type Contestant,
  KEPT_ALIVE,
  KEY,
  type Setup,
  type Site,
} from "../contestant.ts";
import type { Prepared } from "../place.ts";
import { HEADER } from "../filters.ts";

export const nginx: Contestant = {
  name: "nginx",
  needs: ["nginx"],
  version: ["nginx", "-v"],
  warmUpSeconds: 1,
  suits: ({ filters }) => filters.length === 0,
  prepare: (setup, site) => prepare(setup, site, "", ""),
};

/** Nothing goes through temporary files, which is what costs nginx most with large bodies. */
export const nginxStreaming: Contestant = {
  name: "nginx, no files",
  needs: ["nginx"],
  version: ["nginx", "-v"],
  warmUpSeconds: 1,
  suits: ({ filters, largeBodies }) => filters.length === 0 && largeBodies === true,
  prepare: (setup, site) =>
    prepare(setup, site, "", "proxy_request_buffering off; proxy_max_temp_file_size 0;"),
};

const MODULES = "/usr/lib/nginx/modules";
const LUA_MODULES = ["ndk_http_module.so", "ngx_http_lua_module.so"].map(
  (name) => `${MODULES}/${name}`,
);

/** The header filter in Lua, which nginx compiles. */
export const nginxLua: Contestant = {
  name: "nginx with Lua",
  needs: ["nginx", ...LUA_MODULES],
  version: ["dpkg-query", "-W", "libnginx-mod-http-lua"],
  warmUpSeconds: 1,
  suits: ({ filters, perRequest }) =>
    filters.length === 1 && filters[0] === "rust" && perRequest !== true,
  prepare(setup, site) {
    const modules = LUA_MODULES.map((path) => `load_module ${path};`).join("\n");
    const { name, value } = HEADER;
    const filter = `access_by_lua_block { ngx.req.set_header("${name}", "${value}") }
    header_filter_by_lua_block { ngx.header["x-guest"] = "lua" }`;
    return prepare(setup, site, modules, setup.filters.length === 0 ? "" : filter);
  },
};

function prepare(
  { workers, routes = 0, tls = false }: Setup,
  site: Site,
  modules: string,
  filter: string,
): Prepared {
  const { folder, port, upstream, executable } = site;
  const secure = `ssl_certificate ${folder}/${CERT}; ssl_certificate_key ${folder}/${KEY};
    ssl_protocols TLSv1.2 TLSv1.3;`;
  const locations = ["/", ...Array.from({ length: routes }, (_, n) => `/item${n}/`)];
  return {
    files: {
      ...certificateFiles(site),
      "nginx.conf": `${modules}
daemon off; pid ${folder}/nginx.pid; worker_processes ${workers}; error_log stderr warn;
events { worker_connections ${CONNECTIONS_MAX}; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  keepalive_requests 100000000; client_max_body_size 100m;
  upstream node {
    server 127.0.0.1:${upstream};
    keepalive ${KEPT_ALIVE}; keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} ${tls ? "ssl" : ""} backlog=4096;
    ${tls ? secure : ""}
    ${filter}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
${locations.map((path) => `    location ${path} { proxy_pass http://node; }`).join("\n")}
  }
}
`,
    },
    command: { cmd: [executable, "-p", folder, "-c", "nginx.conf"] },
  };
}
