/** The path that an upstream receives: the canonical path, less the route's prefix on a segment boundary. Never empty. */
export function outboundPath(path: string, stripPrefix: string | null): string {
  if (stripPrefix === null) return path
  const prefix = stripPrefix.endsWith('/') ? stripPrefix.slice(0, -1) : stripPrefix
  if (path === prefix) return '/'
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
}
