import { LazyDeadline } from "../../src/base/lazy-deadline.ts";
import { ROLE } from "../../src/http/header-name.ts";
import { stripHopByHop } from "../../src/http/hop-by-hop.ts";
import { admit } from "../../src/proxy/admit.ts";
import { Output } from "../../src/proxy/front/http1/output.ts";
import { renderHead } from "../../src/proxy/front/http1/response-head.ts";
import { FakeClientSocket } from "../exchange/client-socket.ts";
import { BODY, RESPONSE } from "../exchange/messages.ts";
import { newPlane } from "../exchange/plane.ts";
import {
  BODY_BYTES,
  openExchange,
  readRequest,
  readResponse,
  REQUEST_BYTES,
  scanLines,
} from "./heads.ts";
import type { Stage } from "./stage.ts";
import { work } from "./work.ts";

const SCRATCH = Buffer.allocUnsafeSlow(4096);

export const PARSE_REQUEST: Stage = {
  name: "parse the request head",
  what: "`Input`, `RequestParser`",
  work: () =>
    work({
      prepare: () => undefined,
      run: readRequest,
      reuses: true,
      shown: ({ method, target, headers }) => `${method} ${target} ${headers.get("host")}`,
      expected: "GET / 127.0.0.1:18080",
    }),
  floor: {
    what: "decode latin-1, find the line ends",
    work: () =>
      work({
        prepare: () => REQUEST_BYTES,
        run: (bytes) => scanLines(bytes, bytes.length),
        reuses: true,
        shown: (lines) => lines,
        expected: 3,
      }),
  },
};

export const OPEN: Stage = {
  name: "open the exchange",
  what: "`Http1Incoming`, `Cancellation`, `Exchange`",
  work: () => {
    const plane = newPlane([]);
    return work({
      prepare: readRequest,
      run: (head) => openExchange(plane, head),
      shown: ({ request, incoming }) => `${request.method} from ${incoming.remoteAddress}`,
      expected: "GET from 127.0.0.1",
    });
  },
};

export const ADMIT: Stage = {
  name: "admit it",
  what: "`admit()`: method, authority, target, forwarded lines",
  work: () => {
    const plane = newPlane([]);
    return work({
      prepare: () => {
        plane.inFlight = 0;
        return openExchange(plane, readRequest());
      },
      run: admit,
      shown: ({ authority, target }, { request }) =>
        [
          authority.host,
          target.path,
          request.headers.get("x-forwarded-for"),
          request.headers.size,
        ].join(" "),
      expected: "127.0.0.1 / 127.0.0.1 5",
    });
  },
  floor: {
    what: "one `Set` look-up, a scan of host and target, the lines as one text",
    work: () => {
      const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);
      return work({
        prepare: () => ({ method: "GET", host: fresh("127.0.0.1:18080"), target: fresh("/") }),
        run: ({ method, host, target }) => {
          if (!methods.has(method) || !isVisible(host) || !isVisible(target)) return "";
          return (
            `\r\nX-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Proto: http` +
            `\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: 9080`
          );
        },
        reuses: true,
        shown: (lines) => lines.split("\r\n").length,
        expected: 6,
      });
    },
  },
};

export const ROUTE: Stage = {
  name: "find the route",
  what: "`Router.match()`",
  work: () => {
    const { router } = newPlane([]).current;
    return work({
      // Slices: what comes from a head has no hash yet.
      prepare: () => ({ host: fresh("127.0.0.1"), path: fresh("/") }),
      run: ({ host, path }) => router.match("GET", host, path),
      shown: (match) => match?.rule.id ?? "none",
      expected: "all",
    });
  },
  floor: {
    what: "one `Map` look-up",
    work: () => {
      const routes = new Map([["127.0.0.1", "all"]]);
      return work({
        prepare: () => fresh("127.0.0.1"),
        run: (host) => routes.get(host),
        shown: (id) => id ?? "none",
        expected: "all",
      });
    },
  },
};

export const STRIP: Stage = {
  name: "strip the response",
  what: "`stripHopByHop()`, without its Content-Length",
  work: () =>
    work({
      prepare: () => readResponse().headers,
      run: (headers) => {
        stripHopByHop(headers);
        headers.removeRoles(ROLE.contentLength);
        return headers;
      },
      shown: (headers) => [...headers].map(([name]) => name).join(),
      expected: "Server,Date,Content-Type",
    }),
  floor: {
    what: "one pass over the roles of 5 lines",
    work: () =>
      work({
        prepare: () => [0, ROLE.date, 0, ROLE.contentLength, ROLE.hopByHop],
        run: (roles) => {
          let kept = 0;
          for (const role of roles) {
            if ((role & (ROLE.hopByHop | ROLE.contentLength)) === 0) roles[kept++] = role;
          }
          roles.length = kept;
          return kept;
        },
        shown: (kept) => kept,
        expected: 3,
      }),
  },
};

export const RENDER_ANSWER: Stage = {
  name: "render the answer",
  what: "`renderHead()`, `Output.write()` with the body",
  work: () => {
    const socket = new FakeClientSocket();
    const output = new Output(socket);
    return work({
      prepare: () => {
        const { status, headers } = readResponse();
        stripHopByHop(headers);
        headers.removeRoles(ROLE.contentLength);
        return { status, headers };
      },
      run: ({ status, headers }) => {
        const head = renderHead({
          status,
          headers,
          contentLength: BODY.length,
          chunked: false,
          connection: undefined,
          upgrade: undefined,
        });
        output.write(head, "", BODY_BYTES, "");
      },
      shown: () => socket.lastText(),
      expected: RESPONSE.replace("\r\nConnection: keep-alive", ""),
    });
  },
  floor: {
    what: "copy the bytes of head and body into a buffer",
    work: () => {
      const head = Buffer.from(RESPONSE.slice(0, -BODY.length), "latin1");
      return work({
        prepare: () => head,
        run: (bytes) => {
          SCRATCH.set(bytes, 0);
          SCRATCH.set(BODY_BYTES, bytes.length);
          return bytes.length + BODY_BYTES.length;
        },
        reuses: true,
        shown: (length) => SCRATCH.toString("latin1", 0, length),
        expected: RESPONSE,
      });
    },
  },
};

export const DEADLINES: Stage = {
  name: "deadlines",
  what: "two `LazyDeadline`s, each set and cleared once",
  work: () => {
    let missed = 0;
    const client = new LazyDeadline(() => void missed++);
    const node = new LazyDeadline(() => void missed++);
    return work({
      prepare: () => 60_000,
      run: (afterMs) => {
        client.clear();
        node.set(afterMs);
        node.clear();
        client.set(afterMs);
      },
      reuses: true,
      shown: () => missed,
      expected: 0,
    });
  },
  floor: {
    what: "read the clock once",
    work: () =>
      work({
        prepare: () => undefined,
        run: () => performance.now(),
        reuses: true,
        shown: (nowMs) => String(nowMs > 0),
        expected: "true",
      }),
  },
};

/** The same text as a string that was just cut out of another one. */
function fresh(text: string): string {
  return `-${text}-`.slice(1, -1);
}

function isVisible(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char <= 0x20 || char >= 0x7f) return false;
  }
  return true;
}
