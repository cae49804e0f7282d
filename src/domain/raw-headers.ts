/** Values of a header, in the order they came. `rawHeaders`: names and values alternating; `wanted`: in lower case. */
export function valuesOf(rawHeaders: readonly string[], wanted: string): string[] {
  const values: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === wanted.length && name.toLowerCase() === wanted) values.push(rawHeaders[index + 1] as string)
  }
  return values
}
