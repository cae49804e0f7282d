/** Whether a text could be the id of an API key. */
export function isApiKeyId(text: string): boolean {
  return /^[0-9A-Za-z]{16}$/.test(text)
}

/** Whether a text may own a key: 1 to 256 characters that print, so that it can stand in a list or a log without harm. */
export function isOwner(text: string): boolean {
  return text.length <= 256 && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text) && text.trim() === text
}

/** Whether a text is one scope (`scope-token`, RFC 6749 section 3.3). */
export function isScope(text: string): boolean {
  return /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(text)
}
