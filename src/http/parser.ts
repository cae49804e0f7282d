import { createServer, type IncomingMessage, type Server } from 'node:http'

/** Milliseconds between two looks for requests that take too long to arrive. */
const CHECK_INTERVAL = 1_000

/**
 * How HTTP/1.1 is read, wherever it is: at the public listener, and where a request is explained. `requestTimeout`: milliseconds until a whole
 * request must have arrived.
 */
function parserOptions(requestTimeout: number): object {
  return {
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: CHECK_INTERVAL,
    requireHostHeader: false,
    insecureHTTPParser: false,
    // Nobody reads the body of a request that has none.
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: (request: IncomingMessage) => request.headers.upgrade?.trim().toLowerCase() === 'websocket',
  }
}

/** All headers are counted, or none past a limit would be: Node drops what is above it without a word. The head's size is bounded anyway. */
function countAllHeaders(server: Server): void {
  server.maxHeadersCount = 0
}

/** A server that reads as the public listener does, and as yet listens nowhere. */
export function createParser(requestTimeout: number): Server {
  const server = createServer(parserOptions(requestTimeout))
  countAllHeaders(server)
  return server
}
