/**
 * An HTTP server for `node`: it prints its port, and answers with what it was sent, body and
 * trailers, as JSON; behind that it sends x-sum again, as x-checked.
 */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const { method, trailers } = request;
    response.writeHead(200, { "content-type": "application/json", trailer: "x-checked" });
    response.write(JSON.stringify({ method, body, trailers }));
    response.addTrailers({ "x-checked": `${trailers["x-sum"]} checked` });
    response.end();
  });
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  process.stdout.write(`port ${server.address().port}\n`);
});
