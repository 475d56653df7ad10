import { randomUUID } from 'node:crypto'

/**
 * Lets a Node service be tuned by prescale: asks which configuration to run, applies it, measures how it goes for a while, reports that. Needs
 * nothing but Node 20. While prescale cannot be reached the service goes on as it is, and reports later.
 *
 *     const client = createTuningClient({
 *       url: 'http://127.0.0.1:8080',
 *       service: 'shop',
 *       apply: async config => { pool.resize(config.workers) },
 *       measure: async seconds => ({ performance: await utilityOver(seconds), state: { requestsPerSecond: 120, errorRatio: 0.01 } })
 *     })
 *     client.start()
 *
 * @typedef {Record<string, number | string | boolean>} Configuration
 * @typedef {{ performance: number, state?: Record<string, number> } | null} Measured null: this period says nothing (a deploy, no traffic).
 * @param {object} options
 * @param {string} options.url of prescale.
 * @param {string} options.service as it is named in prescale.yaml.
 * @param {(config: Configuration) => void | Promise<void>} options.apply makes the service run a configuration; throws where it cannot.
 * @param {(seconds: number) => Promise<Measured>} options.measure resolves after so many seconds; performance is higher for better.
 * @param {number} [options.periodSeconds]
 * @param {number} [options.settleSeconds] left out after a change: caches fill, queues drain.
 * @param {string} [options.token] where prescale asks for one.
 * @param {(error: Error) => void} [options.onError]
 */
export function createTuningClient ({ url, service, apply, measure, periodSeconds = 60, settleSeconds = 0, token, onError = () => {} }) {
  const base = `${url.replace(/\/$/, '')}/v1/services/${encodeURIComponent(service)}`
  /** An instance of its own, or two would report under the same ids. */
  const instance = randomUUID().slice(0, 8)
  const mostUnsent = 100
  let reports = 0
  let unsent = []
  let etag = null
  let running = null
  let stopping = new AbortController()
  let ended = Promise.resolve()

  const ask = (path, { headers = {}, ...options } = {}) => fetch(base + path, {
    ...options, headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) }, signal: AbortSignal.timeout(10_000)
  })
  const sleep = seconds => new Promise(resolve => {
    const done = () => { clearTimeout(timer); stopping.signal.removeEventListener('abort', done); resolve() }
    const timer = setTimeout(done, 1000 * seconds)
    stopping.signal.addEventListener('abort', done)
  })

  /** The suggested configuration if it is another than the last, else null. */
  async function poll () {
    const response = await ask('/suggestion', etag ? { headers: { 'if-none-match': etag } } : {})
    if (response.status === 304) return null
    if (!response.ok) throw new Error(`${base}/suggestion: ${response.status} ${await response.text()}`)
    const { config } = await response.json()
    return { config, etag: response.headers.get('etag') }
  }

  /** Applies what is suggested; what cannot be applied is asked for again, and what ran before runs on. */
  async function follow () {
    const suggested = await poll()
    if (suggested === null) return
    const { config } = suggested
    if (running === null || Object.keys(config).some(name => config[name] !== running[name])) {
      try {
        await apply(config)
      } catch (error) {
        if (running !== null) await apply(running)
        throw error
      }
      running = config
      await sleep(settleSeconds)
    }
    etag = suggested.etag
  }

  /** Results are kept until prescale took them; one that arrives twice counts once, by its id. */
  async function report (result) {
    unsent = [...unsent, { id: `${instance}-${++reports}`, at: Date.now(), config: running, ...result }].slice(-mostUnsent)
    const response = await ask('/feedback', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(unsent) })
    // What is wrong will be wrong again; a service in trouble is asked again with the next result.
    if (response.ok || (response.status >= 400 && response.status < 500 && response.status !== 429)) unsent = []
    if (!response.ok) throw new Error(`${base}/feedback: ${response.status} ${await response.text()}`)
  }

  /** One period: follow, measure, report. */
  async function step () {
    await follow().catch(onError)
    if (running === null) return await sleep(periodSeconds)
    const measured = await measure(periodSeconds)
    if (measured !== null && !stopping.signal.aborted) await report(measured).catch(onError)
  }

  function start () {
    stopping = new AbortController()
    ended = (async () => {
      while (!stopping.signal.aborted) {
        await step().catch(async error => { onError(error); await sleep(periodSeconds) })
      }
    })()
  }

  return {
    start,
    /** Ends after the running period; the configuration stays. */
    stop: () => { stopping.abort(); return ended },
    step,
    get running () { return running },
    get unsent () { return unsent.length }
  }
}
