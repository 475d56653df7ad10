import { byId, h } from './dom.ts'
import { duration } from './format.ts'
import { fleetPage } from './fleet.ts'
import { follow, type Connection } from './live.ts'
import { modelsPage } from './models.ts'
import type { Page } from './page.ts'
import { servicePage } from './service.ts'

const themes = ['auto', 'light', 'dark'] as const
type Theme = typeof themes[number]
const themeKey = 'prescale-theme'

let page: Page | null = null

/** #/, #/services/NAME?range=SECONDS, #/models */
function openPage (): Page {
  const [path, query = ''] = location.hash.slice(1).split('?')
  const [, service] = /^\/services\/(.+)$/.exec(path) ?? []
  if (service !== undefined) {
    const range = Number(new URLSearchParams(query).get('range') ?? NaN)
    return servicePage(decodeURIComponent(service), range > 0 ? range : null)
  }
  return path === '/models' ? modelsPage() : fleetPage()
}

function navigate (): void {
  page?.close()
  page = openPage()
  document.title = `${page.title} – prescale`
  const main = byId('main')
  main.replaceChildren(page.element)
  window.scrollTo(0, 0)
  for (const link of document.querySelectorAll('nav a')) {
    const href = link.getAttribute('href')!
    const here = href.startsWith('#') && (href === '#/models') === location.hash.startsWith('#/models')
    if (here) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (document.activeElement !== document.body) main.focus({ preventScroll: true })
}

const status = h('span', { class: 'status' })

function drawHeader (): void {
  const theme = h('button', { type: 'button', class: 'theme', onclick: () => { setTheme(themes[(themes.indexOf(storedTheme()) + 1) % themes.length]) } })
  byId('header').replaceChildren(
    h('a', { class: 'brand', href: '#/' }, h('img', { src: '/dashboard/icon.svg', alt: '', width: 24, height: 24 }), 'prescale'),
    h('nav', { 'aria-label': 'Pages' }, h('a', { href: '#/' }, 'Services'), h('a', { href: '#/models' }, 'Models'), h('a', { href: '/docs' }, 'API')),
    h('span', { class: 'grow' }), status, theme)
  setTheme(storedTheme())
}

function storedTheme (): Theme {
  const stored = localStorage.getItem(themeKey)
  return themes.find((theme) => theme === stored) ?? 'auto'
}

function setTheme (theme: Theme): void {
  localStorage.setItem(themeKey, theme)
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  const button = document.querySelector<HTMLElement>('.theme')!
  button.textContent = { auto: '◐', light: '☀', dark: '☾' }[theme]
  button.setAttribute('aria-label', `Colours: ${theme}. Change`)
  button.title = `Colours: ${theme}`
  page?.recolour?.()
}

let lostTimer: number | undefined

function showConnection (connection: Connection): void {
  const { state } = connection
  status.className = `status ${state}`
  status.textContent = { connecting: 'connecting', live: 'live', lost: 'disconnected' }[state]
  clearInterval(lostTimer)
  const banner = byId('banner')
  if (connection.state !== 'lost') {
    banner.replaceChildren()
    return
  }
  const age = h('span')
  const count = () => { age.textContent = duration((Date.now() - connection.since) / 1000) }
  count()
  lostTimer = window.setInterval(count, 1_000)
  banner.replaceChildren(h('p', {}, h('strong', {}, 'Disconnected'), ' for ', age, '. What is shown is as old as that; the page goes on by itself when prescale is back.'))
}

drawHeader()
window.addEventListener('hashchange', navigate)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { page?.recolour?.() })
navigate()
follow({
  event: (event) => { page?.event(event) },
  gap: () => { page?.refresh() },
  connection: showConnection
})
