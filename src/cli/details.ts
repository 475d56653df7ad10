import type { FileErrorDetail } from '../config-file.ts'

/** The errors as lines for a terminal: `prescale.yaml:12:5 services.shop.minReplicas is 50, expected at most maxReplicas, which is 40`. */
export function formatDetails (details: readonly FileErrorDetail[]): string[] {
  return details.map(({ path, value, expected, place }) => {
    const found = value === undefined ? ':' : ` is ${shorten(JSON.stringify(value))},`
    return `${place === undefined ? '' : `${place} `}${path}${found} expected ${expected}`
  })
}

function shorten (text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}
