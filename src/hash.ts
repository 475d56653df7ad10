/** 32 bits of a text (FNV-1a), the same in every process and version: a service must not change its partition. */
export function fnv1a (text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}
