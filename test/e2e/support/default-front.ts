/**
 * The front that tests run on when their configuration names none. With SLUICE_TEST_FRONT set, the
 * same tests run on another front than the one that the gateway would choose: test/run.sh does so.
 */
/** What is tested on both. */
export const FRONTS = ["http1", "serve"] as const;
export type FrontName = (typeof FRONTS)[number];

/** What `front: auto` stands for. */
const AUTO: FrontName = "http1";

/** Where a front cannot do what another does, a test expects by this what it does instead. */
export const DEFAULT_FRONT: FrontName = named(process.env["SLUICE_TEST_FRONT"] ?? AUTO);

function named(text: string): FrontName {
  const front = FRONTS.find((name) => name === text);
  if (front !== undefined) return front;
  throw new Error(
    `Cannot test front ${JSON.stringify(text)}: SLUICE_TEST_FRONT is one of ${FRONTS.join()}`,
  );
}

/**
 * The same configuration on that front; a listener that names a front keeps it, and so does one
 * that is not written as "listen: ADDRESS".
 */
export function withFront(yaml: string, front: FrontName = DEFAULT_FRONT): string {
  if (front === AUTO) return yaml;
  return yaml.replace(LISTEN, `listen: { address: "$1", front: ${front} }`);
}

const LISTEN = /^listen: (127\.0\.0\.1:\d+)(?!\S)/m;
