/**
 * One spelling for every header name that some server may read as the same: lower case, `_` and `.` as `-`.
 * CGI, WSGI and PHP turn all three into one variable name, so `X_Api.Key` and `x-api-key` are one header to them.
 */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-')
}
