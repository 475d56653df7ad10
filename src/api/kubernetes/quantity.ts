/** A number as Kubernetes writes it: whole, or in thousandths (`1500m`), which is as fine as HPA reads. */
export function toQuantity (value: number): string {
  const milli = Math.round(value * 1000)
  if (!Number.isSafeInteger(milli)) return `${BigInt(Math.round(value))}`
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`
}
