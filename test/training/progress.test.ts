import { describe, expect, it } from 'vitest'
import { createProgress } from '../../training/progress.ts'

function recorder (isTTY: boolean) {
  const written: string[] = []
  return { stream: { isTTY, columns: 100, write: (text: string) => written.push(text) }, written }
}

describe('progress', () => {
  it('stays silent when the task takes less than two seconds', () => {
    const { stream, written } = recorder(true)
    let time = 0
    const progress = createProgress({ label: 'reading', total: 100, stream, now: () => time })
    time = 1900
    progress.advance(100)
    progress.done()
    expect(written).toEqual([])
  })

  it('shows share, rate and time left on a terminal, in one line', () => {
    const { stream, written } = recorder(true)
    let time = 0
    const progress = createProgress({ label: 'trees', total: 400, unit: 'trees', stream, now: () => time })
    time = 4000
    progress.advance(100) // 100 in 4 s = 25/s, so the other 300 take 12 s
    expect(written).toEqual(['\r\x1b[Ktrees: 100/400 trees, 25 %, 25/s, 12 s left'])
    time = 16_000
    progress.advance(300)
    progress.done()
    expect(written.slice(-2)).toEqual(['\r\x1b[Ktrees: 400 trees in 16 s, 25/s', '\n'])
  })

  it('writes plain lines, one every ten seconds, when nobody watches a terminal', () => {
    const { stream, written } = recorder(false)
    let time = 0
    const progress = createProgress({ label: 'rows', stream, now: () => time })
    for (time = 1000; time <= 25_000; time += 1000) progress.advance(1000)
    // first at 2 s, then at 12 s and 22 s
    expect(written).toEqual(['rows: 2,000 rows, 1,000/s\n', 'rows: 12,000 rows, 1,000/s\n', 'rows: 22,000 rows, 1,000/s\n'])
  })

  it('gives a long time left in minutes', () => {
    const { stream, written } = recorder(false)
    let time = 0
    const progress = createProgress({ label: 'pages', total: 1000, stream, now: () => time })
    time = 10_000
    progress.advance(100) // 10/s, 900 left = 90 s
    expect(written[0]).toContain('1 min 30 s left')
  })
})
