/**
 * One spelling for every header name that some server may read as the same: lower case, and whatever is no letter or digit as one `-`. CGI, WSGI and
 * PHP turn `-`, `_` and `.` into one variable name, some servers every other mark too, so `X_Api.Key` and `x-api-key` are one header to them.
 */
export function foldHeaderName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}
