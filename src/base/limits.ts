import { HTTPBIN_LIMITS } from "./httpbin-limits.ts";
import { TLS_LIMITS } from "./tls-limits.ts";

/**
 * Every bound of the gateway in one place: value, unit, reason. A bound that an operator may set
 * has its default here and its key in the YAML; the error that answers it is named beside it.
 */
const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = {
  ...TLS_LIMITS,
  ...HTTPBIN_LIMITS,
  /** bytes; request line's target. 414. Proxies and browsers agree on about 8 KiB. */
  requestTargetBytesMax: 8 * KIB,
  /** bytes; names and values of all header lines of a request. 431. */
  requestHeaderBytesMax: 32 * KIB,
  /** count; header lines of a request. 431. Bun.serve itself refuses above about 198. */
  requestHeadersMax: 128,
  /** bytes; request body when a route does not say otherwise. 413. */
  requestBodyBytesMax: 2 * KIB * MIB,
  /** bytes; method of a request. 501. The longest that is registered has 17. */
  requestMethodBytesMax: 64,
  /** count; empty lines before a request line: old clients send one after a body. 400. */
  requestEmptyLinesMax: 4,
  /** bytes; one chunk's size with its extensions. 400. Nobody is known to use extensions. */
  requestChunkLineBytesMax: 256,
  /** bytes; chunk extensions of one body, so that they cannot be most of what is read. 400. */
  requestChunkExtensionBytesMax: 16 * KIB,
  /** count; connections of clients per worker and listener; one more is answered 503 and closed. */
  clientConnectionsMax: 10_000,
  /** ms; from a request's first byte to the end of its head. 408. */
  clientHeadMsMax: 60_000,
  /** ms; an idle connection between two requests, then it is closed. */
  clientKeepAliveMsMax: 75_000,
  /** ms; without a byte of a body that somebody waits for. 408. */
  clientBodyIdleMsMax: 60_000,
  /** ms; without a byte taken by a client that is being sent to, then the connection is reset. */
  clientSendIdleMsMax: 60_000,
  /** ms; silence on both ways after a client's FIN until it counts as gone (CLIENT_GONE). */
  clientHalfClosedMsMax: 2_000,
  /** ms; reading on after a last answer, so that a reset does not overtake it. */
  clientLingerMsMax: 2_000,
  /** bytes; read and dropped after a last answer. */
  clientLingerBytesMax: 4 * MIB,
  /** bytes; unread rest of a request body that is dropped to keep a connection, else it closes. */
  unreadBodyBytesMax: 64 * KIB,
  /** count; pipelined requests of one connection answered before others have their turn. */
  pipelinedPerTurnMax: 32,
  /** bytes; header block of an upstream's response. UPSTREAM_BAD_RESPONSE. */
  responseHeaderBytesMax: 64 * KIB,
  /** count; header lines of an upstream's response. UPSTREAM_BAD_RESPONSE. */
  responseHeadersMax: 256,
  /** count; interim 1xx responses before the final one, so that a node cannot loop for ever. */
  interimResponsesMax: 16,
  /** bytes; received and not yet read body of one upstream connection before it is paused. */
  receiveBufferBytes: 256 * KIB,
  /** count; the same in chunks, because every chunk costs an object even when it is one byte. */
  receiveChunksMax: 1024,
  /** bytes; extensions of one chunk of an upstream's chunked body. UPSTREAM_BAD_RESPONSE. */
  chunkExtensionBytesMax: KIB,
  /** bytes; trailer section of an upstream's response. UPSTREAM_BAD_RESPONSE. */
  responseTrailerBytesMax: 16 * KIB,
  /** bytes; request body kept until the response begins, so that a retry can send it again. */
  resendBodyBytesMax: 64 * KIB,
  /** bytes; body that a paused filter may hold back. 413 on requests, 500 on responses. */
  filterBufferBytesMax: MIB,
  /** ms; how long a filter may pause an exchange before it is answered with 504. */
  filterPauseMsMax: 60_000,
  /** count; how often filters may send one exchange to another route: two could play ball. */
  routeChangesMax: 8,
  /** count; idle connections kept per node and worker. */
  idleConnectionsPerNode: 320,
  /** count; connections per node and worker, busy or idle. UPSTREAM_OVERLOADED. */
  connectionsPerNodeMax: 10_000,
  /** count; exchanges in flight per worker. GATEWAY_OVERLOADED. */
  exchangesInFlightMax: 20_000,
  /** count; requests sent to nodes in one go: by then their code and sockets are at hand. */
  startsPerBatchMax: 32,
  /** ms; how long a request waits for others to be sent with it while they are still coming. */
  startWaitMsMax: 1,
  /** bytes; a serialized header map that a guest hands over or is given (proxy-wasm-cpp-host's). */
  pairsBytesMax: MIB,
  /** count; entries of a serialized header map (proxy-wasm-cpp-host's). */
  pairsCountMax: 1024,
  /** lines per second and worker about failed exchanges; more are counted and dropped. */
  failureLinesPerSecond: 100,
  /** bytes; one log line of a guest, longer ones are cut. */
  guestLogBytesMax: 8 * KIB,
  /** lines per second and plugin; more are counted and dropped. */
  guestLogLinesPerSecond: 1000,
  /**
   * bytes per second and plugin, else lines are dropped too: what a slow reader of the log has not
   * taken waits in the worker's memory.
   */
  guestLogBytesPerSecond: 512 * KIB,
  /** count; call-outs of one plugin that wait for an answer. */
  callOutsInFlightMax: 1000,
  /** bytes; headers, bodies and trailers of the call-outs of one plugin and worker that wait for an
   * answer, and what has come of the answers' bodies. */
  callOutBytesInFlightMax: 64 * MIB,
  /** ms; deadline of a call-out that names none (0), so that no token lives for ever. */
  callOutMsMax: 60_000,
  /** bytes; body of a call-out's answer. */
  callOutBodyBytesMax: 4 * MIB,
  /** count; addresses that one plugin calls at a time and that are no upstreams, per worker. */
  addressUpstreamsMax: 32,
  /** count; gRPC calls and streams of one guest, and of one plugin and worker, at a time. */
  grpcStreamsMax: 1000,
  /** bytes; one message of gRPC, sent or received: the bound that its libraries have, too. */
  grpcMessageBytesMax: 4 * MIB,
  /** bytes; messages of one gRPC stream that its node has not taken. One more is refused. */
  grpcUnsentBytesMax: 4 * MIB,
  /** bytes; what one message that waits takes beside its own bytes (measured: 100 to 150). */
  grpcKeptBytes: 160,
  /** bytes; the same of all gRPC calls and streams of one guest. */
  grpcUnsentBytesTotalMax: 64 * MIB,
  /** bytes; what has come of one gRPC answer and waits to be told. More is left to the socket. */
  grpcHeldBytesMax: 64 * KIB,
  /** bytes; metadata of one gRPC message head or trailer, sent or received. */
  grpcMetadataBytesMax: 64 * KIB,
  /** count; gRPC calls and streams that wait for room on the connection to one node. */
  grpcWaitingMax: 1000,
  /** count; streams on the connection to one node, whatever more it allows. */
  grpcStreamsPerSessionMax: 10_000,
  /** MiB; what one HTTP/2 connection keeps of all its streams. The runtime's own bound is 10, which
   * three messages reach; guests are bounded by grpcUnsentBytesTotalMax each. */
  grpcSessionMibMax: KIB,
  /** ms; for the answer to a ping on an HTTP/2 connection of which calls get no answers. */
  grpcPongMsMax: 2_000,
  /** ms; between two pings to a node that says nothing else: more than two are a reason for nodes
   * to hang up when they come faster than this. */
  grpcPingPauseMs: 300_000,
  /** count; denied uses of one plugin that are logged, each once: the guest chooses the names. */
  deniedUsesLoggedMax: 16,
  /** bytes; one WebSocket message. Close code 1009. */
  webSocketMessageBytesMax: 16 * MIB,
  /** bytes; frames from a client that wait for a slow node before the client is no longer read. */
  webSocketQueueBytes: 256 * KIB,
  /** bytes; more than that can only wait when pausing the client failed. Close code 1013. */
  webSocketQueueBytesMax: 20 * MIB,
  /** count; pings of a client whose pongs from the node are still recognized. */
  webSocketPingsMax: 16,
  /** ms; without progress of a closing WebSocket before both connections are just dropped. */
  webSocketCloseMsMax: 5_000,
  /**
   * bytes; stack of a worker. A guest that recurses until it is full is unwound at some 75 ns a
   * frame; with half of this, a thousand frames of a guest do not always fit.
   */
  workerStackBytes: MIB,
  /** bytes; a module file. */
  moduleBytesMax: 16 * MIB,
  /** count; entries of one section of a module (types, imports, functions, exports). */
  moduleEntriesMax: 65_536,
  /** count; sections of a module: JavaScriptCore's time grows with their square (40,000: 10 s). */
  moduleSectionsMax: 1_000,
  /** count; types of a module, those of recursion groups counted one by one. */
  moduleTypesMax: 65_536,
  /** bytes; type section of a module: compilers write kilobytes, and engines compare types. */
  moduleTypeBytesMax: MIB,
  /** count; functions of a module without imported ones: 500,000 empty ones cost 290 MB. */
  moduleFunctionsMax: 50_000,
  /** bytes; code of one function, which is compiled as a whole. */
  moduleBodyBytesMax: 2 * MIB,
  /** count; locals of one function, as few bytes can claim thousands. */
  moduleLocalsMax: 4_096,
  /** count; locals of all functions: JavaScriptCore takes a second for 80 million (140 KB). */
  moduleLocalsTotalMax: 10_000_000,
  /** count; parameters of a function type: a branch back to a loop may hand over as many. */
  moduleParametersMax: 255,
  /**
   * bytes; code of a module times results of its widest function type: a call of two bytes leaves
   * that many values behind, and JavaScriptCore takes 100 ns and 16 bytes for each.
   */
  moduleResultBytesMax: 32 * MIB,
  /** count; blocks inside one another: Go opens one for every place at which it can resume. */
  moduleDepthMax: 4_096,
  /** count; targets of one br_table. */
  moduleBranchTargetsMax: 65_536,
  /** count; clauses of one try_table. */
  moduleCatchesMax: 1_024,
  /** count; entries of a table at its start: ten million of them cost 650 MB. */
  moduleTableEntriesMax: 65_536,
  /** count; tables of a module. */
  moduleTablesMax: 100,
  /** count; entries of all element segments of a module. */
  moduleElementsMax: 200_000,
  /** count; globals of a module without imported ones: each gets a shadow and an export. */
  moduleGlobalsMax: 10_000,
  /** count; data segments of a module: LLVM writes a handful, Go one for each run of bytes. */
  moduleDataSegmentsMax: 100_000,
  /** pages of 64 KiB; memory that a module may ask for at its start (Envoy's 1 GiB). */
  guestPagesMax: 16_384,
  /** bytes; one page of a guest's memory, WebAssembly's own unit. */
  pageBytes: 64 * KIB,
  /** pages; memory of one guest when its plugin says nothing (64 MiB). */
  guestPagesDefault: 1024,
  /** ms; one callback of a guest: about a thousand times what a filter takes for its work. */
  guestDeadlineMsDefault: 20,
  /** ms; shortest deadline that can be kept: the clock of the watch and the scheduler. */
  guestDeadlineMsMin: 1,
  /** ms; longest deadline: the worker serves nobody meanwhile, and has to answer heartbeats. */
  guestDeadlineMsMax: 2000,
  /** ms; the callbacks of one plugin for one exchange together. */
  guestTotalMsDefault: 1000,
  /** ms; the same, at most: above it the bound would bound nothing. */
  guestTotalMsMax: 600_000,
  /** weighted instructions of one callback; a second or more of a processor. */
  guestFuelMax: 2_000_000_000,
  /** ms; one step of a guest's start. Large modules build tables and parse configurations there. */
  guestStartMsDefault: 2000,
  /** ms; a start in a cold process takes some of them. */
  guestStartMsMin: 10,
  /** ms; well below prepareMsMax, so that slow starts do not cost the worker. */
  guestStartMsMax: 4000,
  /** count; sandboxes of one plugin and worker: exchanges at a time, slow upstreams included. */
  poolSandboxesDefault: 1000,
  /** count; the same, at most: each reserves 4 GiB of address space. */
  poolSandboxesMax: 4096,
  /** count; sandboxes made before the first exchange. */
  poolWarmDefault: 2,
  /** count; exchanges that wait for a sandbox. */
  poolWaitingDefault: 1000,
  /** count; the same, at most: exchangesInFlightMax end earlier. */
  poolWaitingMax: 20_000,
  /** ms; how long an exchange waits for a sandbox: as long as a client waits without a doubt. */
  poolWaitMsDefault: 1000,
  /** ms; the same, at most: that of a paused filter. */
  poolWaitMsMax: 60_000,
  /** count; failures of a plugin within the window until its breaker opens. */
  breakerFailuresDefault: 10,
  /** count; the same, at most: the time of each is kept. */
  breakerFailuresMax: 10_000,
  /** ms; how long a failure counts. */
  breakerWindowMsDefault: 10_000,
  /** ms; how long a breaker stays open. */
  breakerOpenMsDefault: 5000,
  /** ms; shortest window and shortest pause: below it a breaker would only flicker. */
  breakerMsMin: 100,
  /** ms; longest window and longest pause. */
  breakerMsMax: 3_600_000,
  /** bytes; pages that an idle sandbox keeps because its guest writes them each time. */
  keptPageBytesMax: 64 * KIB,
  /** count; or that part of its memory when it is more: a guest in Go of 2.4 MiB writes 120 KiB,
   * and its exchange takes 170 µs instead of 28 when these fault in each time. */
  keptPageShare: 16,
  /** bytes; what a guest hands over in one call: a body, a property, an item of a queue. */
  guestBytesMax: 16 * MIB,
  /** bytes; the properties that one filter sets on one exchange. */
  guestPropertyBytesMax: 64 * KIB,
  /** bytes; a name that a guest passes: of a property, a metric, a queue. */
  guestNameBytesMax: KIB,
  /** bytes; argument of a foreign function: zlib and hashes take some 20 ms for that. */
  guestForeignBytesMax: MIB,
  /** bytes; what a zlib stream of a guest holds, against "zip bombs". */
  guestInflatedBytesMax: 4 * MIB,
  /** bits; an RSA key that a guest brings: one signature of 4096 bits takes 5 ms. */
  guestKeyBitsMax: 4096,
  /** bytes; any key that a guest brings, as DER or PEM: the largest RSA key takes 3,300. */
  guestKeyBytesMax: 4 * KIB,
  /** count; properties that one guest declares. */
  guestDeclaredPropertiesMax: 256,
  /** characters; a CEL expression. The parser takes up to 40 ms for them (measured). */
  celLengthMax: 2 * KIB,
  /** count; brackets inside one another in an expression: 64 of them take the parser 100 ms. */
  celDepthMax: 24,
  /** count; fields of fields in an expression: of 1000 the planner keeps 5 MB of names. */
  celChainMax: 32,
  /** count; expressions that one guest keeps. */
  celExpressionsMax: 256,
  /** characters; expressions that one guest keeps, at up to 250 bytes each (measured): 16 MB. */
  celCharactersMax: 64 * KIB,
  /** units of about 1 µs; one evaluation: loops, texts, lists and patterns. See meter.ts. */
  celCostMax: 10_000,
  /** count; patterns of expressions that one worker keeps compiled: the engine remembers up to
   * 10,000 states of each, some 10 MB. */
  celPatternsMax: 16,
  /** instructions; a pattern that is kept. Longer ones are compiled each time. */
  celPatternSizeMax: 500,
  /** count; metrics that one plugin defines. */
  guestMetricsMax: 1000,
  /** count; metrics of plugins that one worker tells its master, and the master shows. More are
   * left out: telling 5,000 takes a worker about 3 ms of each second. */
  statusMetricsMax: 5000,
  /** characters; name of a plugin's metric that is shown, longer ones are left out. */
  statusMetricNameMax: 200,
  /** count; names of plugins that are told of, those that are gone included. */
  statusPluginsMax: 1000,
  /** bytes; keys and values of the shared data of one VM id. SHARED_DATA_FULL. */
  sharedDataBytesMax: 16 * MIB,
  /** count; keys of the shared data of one VM id. SHARED_DATA_FULL. */
  sharedDataKeysMax: 10_000,
  /**
   * bytes; one key of shared data. Filters make keys of tokens and paths that clients send, so that
   * the largest head of a request fits: a refusal ends a guest in Rust.
   */
  sharedKeyBytesMax: 128 * KIB,
  /** count; shared queues of one VM id. */
  sharedQueuesMax: 100,
  /** bytes; items that wait in one shared queue. SHARED_QUEUE_FULL. */
  sharedQueueBytesMax: 4 * MIB,
  /** count; items that wait in one shared queue. SHARED_QUEUE_FULL. */
  sharedQueueItemsMax: 10_000,
  /** bytes; memory of all queues of one VM id, in chunks: items have 256 each at least. */
  sharedQueueStoreBytesMax: 24 * MIB,
  /** count; worker processes of which one queue knows that they want to be told. */
  sharedQueueReceiversMax: 512,
  /**
   * bytes; address space of one VM id's shared data and queues, of which only what was written
   * takes memory: all of the above at once, and twice the largest value while it is replaced.
   */
  sharedStoreBytes: 64 * MIB,
  /** count; VM ids of one gateway, those included that are about to be dropped. */
  sharedStoresMax: 4096,
  /**
   * ms; wait for another worker that works in the same store, which takes microseconds unless it
   * has no processor (200 ms were seen with ten processes for each). SHARED_STORE_BUSY.
   */
  sharedLockMsMax: 1000,
  /** ms; the same while that worker has been waited for in vain already. */
  sharedStuckLockMsMax: 1,
  /** ms; wait for one worker after the other. SHARED_STORE_BUSY. */
  sharedTurnsMsMax: 2000,
  /** count; host calls of one callback. FILTER_HOST_CALLS. Reading every line of a full header map
   * one by one takes a thousand. */
  guestHostCallsMax: 1_000_000,
  /** count; entries of a guest's table, at its start and ever. Large filters have 10,000. */
  guestTableEntriesMax: 65_536,
  /** count; exports of guests that one worker can call: some 10 for each sandbox. */
  dispatchSlotsMax: 4_000_000,
  /** count; outgrown guests of one plugin that still serve their last exchanges. */
  guestsRetiringMax: 4,
  /** ms; telling guests of items and answers at a time; then others have as long for themselves. */
  turnMsMax: 5,
  /** ms; shortest tick, so that a guest cannot keep its worker busy by asking for time. */
  guestTickMsMin: 10,
  /** ms; for the watch to shut a page once it has begun to. A thread that takes longer has died. */
  watchShutMsMax: 5_000,
  /** count; starts of a guest that may fail in a row before the next one has to wait. */
  guestStartFailuresMax: 3,
  /** ms; pause between two starts after that. */
  guestStartPauseMs: 1000,
  /** ms; how long a guest that answered "not done" may still work when its plugin is closed. */
  guestDoneMsMax: 5_000,
  /** count; pairs of a uri and a host over all routes of one generation, some 100 MB of router. */
  routeEntriesMax: 200_000,
  /** count; segments of a route's uri, the depth to which a look-up recurses. */
  routeSegmentsMax: 64,
  /** bytes; a configuration file. */
  configBytesMax: 16 * MIB,
  /** count; aliases of one YAML file, those inside of what an alias stands for counted again. */
  yamlAliasesMax: 10_000,
  /** count; nodes that the aliases of one YAML file stand for, against "billion laughs". */
  yamlAliasedNodesMax: 1_000_000,
  /** count; collections inside one another in a YAML file, so that no walk overflows the stack. */
  yamlDepthMax: 64,
  /** count; diagnostics of one file, more are counted and left out. */
  diagnosticsMax: 1000,
  /** count; connections to one address of the status port; one more is answered 503 and closed. */
  adminConnectionsMax: 64,
  /** ms; of a request to the status port: from its first byte to the end of its head. 408. */
  adminHeadMsMax: 5_000,
  /** ms; without a byte taken by a client of the status port, then the connection is reset. */
  adminSendIdleMsMax: 10_000,
  /** bytes; what a worker's memory grows by before all its garbage is collected. */
  garbageBytesMax: 128 * MIB,
  /** bytes; what the engine allocates between two collections of young garbage. */
  youngBytesMax: 32 * MIB,
  /** ms; between two looks at a worker's memory: guests make up to 250 MiB of garbage a second. */
  memoryLookMs: 200,
  /** ms; a worker that has not answered a heartbeat for this long is killed and replaced. */
  heartbeatMsMax: 5_000,
  /** count; processes that are started before it is known how many workers are wanted. */
  workersAheadMax: 4,
  /** ms; time a worker has to build and start a generation before it is given up. */
  prepareMsMax: 30_000,
  /** count; events of one `sluice plugin run`: some hundred bytes each. */
  transcriptEventsMax: 200_000,
  /** bytes; texts in the events of one run. */
  transcriptBytesMax: 64 * MIB,
  /** bytes; a run that was written down, and is read again. JSON escapes make it longer. */
  recordingBytesMax: 512 * MIB,
  /** count; ticks that one run waits for, before and behind its exchange. */
  runTicksMax: 10_000,
  /** ms on the run's own clock, which jumps from one event to the next: a day. */
  runMsMax: 86_400_000,
  /** ms; drain after SIGTERM when the YAML does not say otherwise. */
  drainMsDefault: 30_000,
} as const;
