import { type GatewayStatus, isReady, servingWorkers } from "../gateway/gateway-status.ts";
import { jsonPage, type Page } from "./page.ts";

/** For whoever sends traffic: 200 when all workers serve the current generation, else 503. */
export function readyPage(status: GatewayStatus): Page {
  const ready = isReady(status);
  return jsonPage(ready ? 200 : 503, {
    ready,
    state: status.state,
    generation: status.generation,
    workers_configured: status.workersConfigured,
    workers_serving: servingWorkers(status),
  });
}
