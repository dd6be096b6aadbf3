/** Requests that go on in the background while a test does something else to the gateway. */
export interface Load {
  /** Requests that were answered as they should. */
  readonly good: number;
  /** What went wrong, at most 20 of it. */
  readonly bad: readonly string[];
  /** Ends it; resolves when the last answer is in. */
  stop(): Promise<void>;
}

/**
 * Sends requests over `connections` connections, each one after the other, until stopped.
 * @param isGood what a right answer looks like
 */
export function startLoad(
  url: string,
  options: { connections: number; isGood: (response: Response, body: string) => boolean },
): Load {
  const load = { good: 0, bad: [] as string[], running: true };
  const loops = Array.from({ length: options.connections }, async () => {
    while (load.running) {
      try {
        const response = await fetch(url);
        const body = await response.text();
        if (options.isGood(response, body)) load.good++;
        else note(`${response.status} ${body.slice(0, 200)}`);
      } catch (error) {
        note(String(error));
      }
    }
  });
  function note(problem: string): void {
    if (load.bad.length < 20) load.bad.push(problem);
  }
  return Object.assign(load, {
    async stop(): Promise<void> {
      load.running = false;
      await Promise.all(loops);
    },
  });
}
