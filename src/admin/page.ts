/** What a path of the status port answers with. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export function jsonPage(status: number, value: unknown): Page {
  return { status, contentType: "application/json", text: `${JSON.stringify(value, null, 2)}\n` };
}

/** @param error a code for machines @param hint what to do, for people */
export function errorPage(status: number, error: string, hint?: string): Page {
  return jsonPage(status, { error, status, hint });
}
