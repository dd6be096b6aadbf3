import { LIMITS } from "../base/limits.ts";
import type { AdminListener } from "../config/config.ts";
import type { GatewayStatus } from "../gateway/gateway-status.ts";
import { type Front, promised } from "../proxy/front/front.ts";
import { startHttp1Front } from "../proxy/front/http1/http1-front.ts";
import { answerRequest, refuseRequest } from "./answer.ts";

/**
 * The read-only status port, in the master: no traffic passes it, and no worker is asked.
 *
 * Why not on Bun.serve: it closes no connection that has sent nothing yet, and bounds none in
 * number, so a process on the machine could take all of the master's files. Our own front does.
 */
export function startStatusPort({ host, port }: AdminListener, status: () => GatewayStatus): Front {
  return startHttp1Front(
    {
      host,
      port,
      // Nobody else is to share it: each would get half of the requests.
      reusePort: false,
      handle: promised(async (incoming) => answerRequest(incoming, status)),
      refuse: refuseRequest,
    },
    {
      connectionsMax: LIMITS.adminConnectionsMax,
      headMs: LIMITS.adminHeadMsMax,
      sendIdleMs: LIMITS.adminSendIdleMsMax,
    },
  );
}
