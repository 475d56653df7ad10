export interface ProgressStream { write (text: string): unknown, readonly isTTY?: boolean | undefined, readonly columns?: number | undefined }

export interface ProgressOptions {
  readonly label: string
  /** Without it there is a rate but no share and no time left. */
  readonly total?: number
  readonly unit?: string
  readonly stream?: ProgressStream
  readonly now?: () => number
}

const quietMs = 2000
const terminalMs = 100
const plainMs = 10_000

/**
 * Progress of a long task with its rate and the time left. Says nothing in the first two seconds, so a short task stays silent; redraws one
 * line on a terminal and writes a line every ten seconds elsewhere.
 */
export function createProgress ({ label, total, unit = 'rows', stream = process.stderr, now = Date.now }: ProgressOptions) {
  const startedAt = now()
  let done = 0
  let shownAt = startedAt + quietMs - (stream.isTTY ? terminalMs : plainMs)
  let shown = false

  function line (elapsedSeconds: number): string {
    const rate = done / elapsedSeconds
    const counted = total === undefined ? `${format(done)} ${unit}` : `${format(done)}/${format(total)} ${unit}`
    const parts = [`${label}: ${counted}`, `${format(rate)}/s`]
    if (total !== undefined && total > 0) {
      parts.splice(1, 0, `${Math.floor(100 * Math.min(1, done / total))} %`)
      if (rate > 0) parts.push(`${duration(Math.max(0, total - done) / rate)} left`)
    }
    return parts.join(', ')
  }

  function show (text: string): void {
    stream.write(stream.isTTY ? `\r\x1b[K${text.slice(0, (stream.columns ?? 80) - 1)}` : `${text}\n`)
    shown = true
  }

  return {
    /** `count` more units are done. */
    advance (count = 1): void {
      done += count
      const at = now()
      if (at - shownAt < (stream.isTTY ? terminalMs : plainMs)) return
      shownAt = at
      show(line(Math.max(at - startedAt, 1) / 1000))
    },
    /** The task is over: leaves one last line, if any was shown. */
    done (): void {
      if (!shown) return
      const seconds = Math.max(now() - startedAt, 1) / 1000
      show(`${label}: ${format(done)} ${unit} in ${duration(seconds)}, ${format(done / seconds)}/s`)
      if (stream.isTTY) stream.write('\n')
    }
  }
}
export type Progress = ReturnType<typeof createProgress>

function format (value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(2)))
}

/** 75 → "1 min 15 s" */
function duration (seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
