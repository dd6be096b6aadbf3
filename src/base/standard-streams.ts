/**
 * Text for people. The streams are made when there is something to say: with all that the runtime
 * loads for them they would be a tenth of a start, in the master and again in a worker.
 */
export function print(text: string): void {
  stdout ??= tolerant(process.stdout);
  stdout.write(text);
}

/** The same for diagnostics and the log. */
export function printError(text: string): void {
  stderr ??= tolerant(process.stderr);
  stderr.write(text);
}

/** Whether colors can be seen there. */
export function isErrorTerminal(): boolean {
  return process.stderr.isTTY;
}

let stdout: NodeJS.WriteStream | undefined;
let stderr: NodeJS.WriteStream | undefined;

/** Whoever reads our log may go away; that must not end the gateway. */
function tolerant(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  stream.on("error", () => {});
  return stream;
}
