type Child = Node | string | null | undefined | false
type Props = Readonly<Record<string, unknown>>

/** An element; `on…` are listeners, `class` and `aria-…` are attributes, false and undefined leave one out. */
export function h<K extends keyof HTMLElementTagNameMap> (tag: K, props: Props = {}, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value as EventListener)
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false))
  return element
}

export function svg (tag: string, props: Props, ...children: readonly Node[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value))
  element.append(...children)
  return element
}

export function byId (id: string): HTMLElement {
  return document.getElementById(id)!
}

/** A function that runs at most once in so many milliseconds, and once more when it was called meanwhile. */
export function throttled (run: () => void, ms: number): () => void {
  let timer: number | undefined
  let again = false
  const fire = () => {
    run()
    timer = window.setTimeout(() => {
      timer = undefined
      if (again) {
        again = false
        fire()
      }
    }, ms)
  }
  return () => {
    if (timer === undefined) fire()
    else again = true
  }
}

export function download (name: string, content: Blob): void {
  const url = URL.createObjectURL(content)
  h('a', { href: url, download: name }).click()
  setTimeout(() => { URL.revokeObjectURL(url) }, 10_000)
}
