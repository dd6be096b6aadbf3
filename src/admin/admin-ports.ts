import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { log } from "../base/log.ts";
import type { AdminListener, Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { ControlPorts } from "../gateway/control-ports.ts";
import type { GatewayStatus } from "../gateway/gateway-status.ts";
import type { Front } from "../proxy/front/front.ts";
import { startHttp1Front } from "../proxy/front/http1/http1-front.ts";
import { answerRequest, refuseRequest } from "./answer.ts";

/**
 * The read-only status port, in the master: no traffic passes it, and no worker is asked.
 *
 * Why not on Bun.serve: it closes no connection that has sent nothing yet, and bounds none in
 * number, so a process on the machine could take all of the master's files. Our own front does.
 */
export class AdminPorts implements ControlPorts {
  readonly #status: () => GatewayStatus;
  readonly #open = new Map<string, Front>();
  readonly #announced = new Set<Front>();

  constructor(status: () => GatewayStatus) {
    this.#status = status;
  }

  open(config: Config): readonly Diagnostic[] {
    const problems: Diagnostic[] = [];
    for (const [key, listener] of keyed(config)) {
      if (this.#open.has(key)) continue;
      try {
        this.#open.set(key, this.#start(listener));
      } catch (error) {
        const { address, position } = listener;
        problems.push({
          severity: "error",
          code: "LISTEN_FAILED",
          message: `Cannot open the status port on ${address}: ${messageOf(error)}; is it in use?`,
          file: config.file,
          position,
          hint: undefined,
        });
      }
    }
    return problems;
  }

  keepOnly(config: Config | undefined): void {
    const kept = config === undefined ? new Map<string, AdminListener>() : keyed(config);
    for (const [key, front] of this.#open) {
      const { host, port } = front;
      const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
      if (kept.has(key)) {
        if (!this.#announced.has(front)) log.info("status port is open", { address });
        this.#announced.add(front);
        continue;
      }
      this.#open.delete(key);
      front.close();
      if (this.#announced.delete(front)) log.info("status port is closed", { address });
    }
  }

  #start({ host, port }: AdminListener): Front {
    return startHttp1Front(
      {
        host,
        port,
        // Nobody else is to share it: each would get half of the requests.
        reusePort: false,
        handle: async (incoming) => answerRequest(incoming, this.#status),
        refuse: refuseRequest,
      },
      {
        connectionsMax: LIMITS.adminConnectionsMax,
        headMs: LIMITS.adminHeadMsMax,
        sendIdleMs: LIMITS.adminSendIdleMsMax,
      },
    );
  }
}

/** By host and port; port 0, which the system chooses, also by how often it stands before. */
function keyed({ admin }: Config): Map<string, AdminListener> {
  const listeners = admin?.listeners ?? [];
  return new Map(
    listeners.map((listener, at) => {
      const same = ({ host, port }: AdminListener): boolean =>
        host === listener.host && port === listener.port;
      const before = listeners.slice(0, at).filter(same).length;
      return [`${listener.host} ${listener.port} ${before}`, listener];
    }),
  );
}
