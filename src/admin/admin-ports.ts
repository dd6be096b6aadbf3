import { messageOf } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { AdminListener, Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { ControlPorts } from "../gateway/control-ports.ts";
import type { GatewayStatus } from "../gateway/gateway-status.ts";
import type { Front } from "../proxy/front/front.ts";

/** The status ports of a configuration, in the master. */
export class AdminPorts implements ControlPorts {
  readonly #status: () => GatewayStatus;
  readonly #open = new Map<string, Front>();
  readonly #announced = new Set<Front>();

  constructor(status: () => GatewayStatus) {
    this.#status = status;
  }

  async open(config: Config): Promise<readonly Diagnostic[]> {
    const problems: Diagnostic[] = [];
    for (const [key, listener] of keyed(config)) {
      if (this.#open.has(key)) continue;
      // Only now: a start without a status port need not wait for it to be loaded.
      const { startStatusPort } = await import("./status-port.ts");
      try {
        this.#open.set(key, startStatusPort(listener, this.#status));
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
