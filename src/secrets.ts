/** A text without the user and password of an address in it, and without a token in its query. */
export function withoutCredentials (text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@"']*(?:[^\s/?#"']*@)/gi, '$1…@').replace(/\b(api_key|token|password|secret)=[^&\s"']+/gi, '$1=…')
}

/** The same for every text in a value. */
export function withoutCredentialsIn (value: unknown): unknown {
  if (typeof value === 'string') return withoutCredentials(value)
  if (Array.isArray(value)) return value.map(withoutCredentialsIn)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withoutCredentialsIn(entry)]))
}
