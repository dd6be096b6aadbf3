/**
 * A gRPC server of grpc-js, for `node`: it prints its port, and then one line for each call that it
 * sees and each that is cancelled. Messages are bytes; nothing knows protobuf here.
 */
import { Metadata, Server, ServerCredentials } from "@grpc/grpc-js";

const asIs = (bytes) => bytes;

function method(name, requestStream, responseStream) {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

const SERVICE = {
  Unary: method("Unary", false, false),
  Fail: method("Fail", false, false),
  Hang: method("Hang", false, false),
  Many: method("Many", false, true),
  Sum: method("Sum", true, false),
  Chat: method("Chat", true, true),
  Die: method("Die", false, true),
};

const tell = (line) => process.stdout.write(`${line}\n`);

function metadataOf(pairs) {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(pairs)) metadata.set(name, value);
  return metadata;
}

const HANDLERS = {
  /** Answers the message, and repeats x-ask as x-told. */
  Unary(call, done) {
    tell(`unary ${call.request.length}`);
    call.sendMetadata(metadataOf({ "x-told": String(call.metadata.get("x-ask")[0] ?? "") }));
    done(null, call.request, metadataOf({ "x-end": "trailer" }));
  },
  /** The message is the code and the details. */
  Fail(call, done) {
    const [code, ...details] = call.request.toString().split(" ");
    done({ code: Number(code), details: details.join(" ") });
  },
  Hang(call) {
    tell("hang");
    call.on("cancelled", () => tell("cancelled"));
  },
  /** The message says how many. */
  Many(call) {
    for (let n = 0; n < Number(call.request.toString()); n++) call.write(Buffer.from(`m${n}`));
    call.end(metadataOf({ "x-end": "many" }));
  },
  /** Reads only from the first byte on that its metadata x-wait, in ms, allows. */
  Sum(call, done) {
    tell("sum");
    let bytes = 0;
    const waitMs = Number(call.metadata.get("x-wait")[0] ?? 0);
    call.pause();
    setTimeout(() => {
      call.on("data", (message) => (bytes += message.length));
      call.on("end", () => done(null, Buffer.from(String(bytes))));
      call.resume();
    }, waitMs);
  },
  Chat(call) {
    tell("chat");
    call.on("cancelled", () => tell("cancelled"));
    call.on("data", (message) => call.write(Buffer.concat([Buffer.from("re:"), message])));
    call.on("end", () => call.end());
  },
  Die(call) {
    call.write(Buffer.from("last words"));
    setTimeout(() => process.exit(1), 50);
  },
};

const server = new Server({
  "grpc.max_concurrent_streams": Number(process.env.STREAMS_MAX ?? 100),
  "grpc.max_receive_message_length": -1,
});
server.addService(SERVICE, HANDLERS);
server.bindAsync(
  `127.0.0.1:${process.env.PORT ?? 0}`,
  ServerCredentials.createInsecure(),
  (error, port) => {
    if (error !== null) throw error;
    tell(`port ${port}`);
  },
);
