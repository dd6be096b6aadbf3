import { RoundRobin } from "../../src/upstream/balancer/round-robin.ts";
import { requestHead } from "../../src/upstream/client/request-head.ts";
import type { UpstreamRequest } from "../../src/upstream/message.ts";
import { NodePools } from "../../src/upstream/node-pools.ts";
import { withNodeSockets } from "../exchange/node-socket.ts";
import { BODY, RESPONSE } from "../exchange/messages.ts";
import { KEEPALIVE, newPlane, NODE } from "../exchange/plane.ts";
import { admitted, FORWARDED, readResponse, scanLines } from "./heads.ts";
import type { Stage } from "./stage.ts";
import { work } from "./work.ts";

const SCRATCH = Buffer.allocUnsafeSlow(4096);
const USER = { received() {}, drained() {}, disconnected() {} };

export const TAKE_CONNECTION: Stage = {
  name: "pick a node and a connection",
  what: "`RoundRobin.pick()`, `NodePool.takeIdle()`, and back",
  work: async () => {
    const pools = new NodePools({ resolveBuiltin: () => ({ host: "127.0.0.1", port: 1 }) });
    const pool = pools.acquire(NODE, KEEPALIVE);
    const balancer = new RoundRobin([{ weight: 1, pool }]);
    const first = await withNodeSockets([], () => pool.connect(0).connection);
    first.use(USER);
    first.release(true);
    return work({
      prepare: () => [],
      run: (tried) => {
        const picked = balancer.pick(tried)?.pool;
        const connection = picked?.takeIdle();
        connection?.use(USER);
        connection?.release(true);
        return connection;
      },
      reuses: true,
      shown: (connection) => `${connection?.isOpen} ${pool.idle}`,
      expected: "true 1",
    });
  },
  floor: {
    what: "take one off an array, and put it back",
    work: () => {
      const idle = [{ uses: 0 }];
      return work({
        prepare: () => idle,
        run: (all) => {
          const one = all.pop();
          if (one !== undefined) all.push(one);
          return one;
        },
        reuses: true,
        shown: (one) => one?.uses ?? "none",
        expected: 0,
      });
    },
  },
};

export const RENDER_REQUEST: Stage = {
  name: "render the request",
  what: "`requestHead()`, its bytes in a buffer",
  work: () => {
    const plane = newPlane([]);
    return work({
      prepare: (): UpstreamRequest => {
        const { method, target, authority, headers } = admitted(plane).request;
        return { method, target, authority, headers, body: undefined, upgrade: undefined };
      },
      run: (request) => requestHead(request).writeTo(SCRATCH, 0),
      shown: (length) => SCRATCH.toString("latin1", 0, length),
      expected: FORWARDED,
    });
  },
  floor: {
    what: "copy the bytes of the head into a buffer",
    work: () => {
      const head = Buffer.from(FORWARDED, "latin1");
      return work({
        prepare: () => head,
        run: (bytes) => {
          SCRATCH.set(bytes, 0);
          return bytes.length;
        },
        reuses: true,
        shown: (length) => SCRATCH.toString("latin1", 0, length),
        expected: FORWARDED,
      });
    },
  },
};

export const PARSE_RESPONSE: Stage = {
  name: "parse the response head",
  what: "`ResponseHeadParser`",
  work: () =>
    work({
      prepare: () => undefined,
      run: () => readResponse().framing,
      reuses: true,
      shown: (framing) => JSON.stringify(framing),
      expected: JSON.stringify({ ok: true, kind: "length", length: BODY.length }),
    }),
  floor: {
    what: "decode latin-1, find the line ends",
    work: () => {
      const bytes = Buffer.from(RESPONSE, "latin1");
      return work({
        prepare: () => bytes,
        run: (whole) => scanLines(whole, whole.length - BODY.length),
        reuses: true,
        shown: (lines) => lines,
        expected: 7,
      });
    },
  },
};
