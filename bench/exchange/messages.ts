/** What wrk sends, and what the nginx answers that is the upstream of bench/peers. */
export const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\r\n";

export const BODY = "Fifty-five bytes, of which the upstream needs no file.\n";

export const RESPONSE = [
  "HTTP/1.1 200 OK",
  "Server: nginx/1.22.1",
  "Date: Thu, 26 Nov 2026 18:00:00 GMT",
  "Content-Type: text/plain",
  `Content-Length: ${BODY.length}`,
  "Connection: keep-alive",
  "",
  BODY,
].join("\r\n");
