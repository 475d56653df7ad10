import { toldOf, type Change, type ToldIncident } from './changes.ts'

/** How often an open incident is posted again, and how long one post holds: an alert must not outlive us by more than that. */
export const resendSeconds = 60
const holdSeconds = 4 * resendSeconds
/** An incident of a service that sends nothing any more is not known to last: it is posted no more. */
const silentSeconds = 900

export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
}

interface AlertOptions { readonly now: number, readonly labels?: Readonly<Record<string, string>> }

/**
 * Alerts for what changed with an incident; none for other changes. An alert is known by its labels, so a higher severity ends one
 * alert and begins another.
 */
export function alertsFor (change: Change, options: AlertOptions): Alert[] {
  switch (change.kind) {
    case 'incident.opened': return [firing(change.service, toldOf(change.incident), options)]
    case 'incident.escalated': {
      const incident = toldOf(change.incident)
      const before = ended(change.service, { ...incident, severity: change.before }, change.at, options)
      return [before, firing(change.service, incident, options)]
    }
    case 'incident.closed': return [ended(change.service, toldOf(change.incident), change.at, options)]
    default: return []
  }
}

/** Alerts for incidents that are still open. */
export function openAlerts (open: readonly { readonly service: string, readonly incident: ToldIncident }[], options: AlertOptions): Alert[] {
  return open.filter(({ incident }) => incident.seenAt > options.now - silentSeconds * 1000).map(({ service, incident }) => firing(service, incident, options))
}

function firing (service: string, incident: ToldIncident, options: AlertOptions): Alert {
  return alert(service, incident, options.now + holdSeconds * 1000, options)
}

function ended (service: string, incident: ToldIncident, at: number, options: AlertOptions): Alert {
  return alert(service, incident, Math.min(at, options.now), options)
}

function alert (service: string, { severity, startedAt, summary }: ToldIncident, endsAt: number, { labels }: AlertOptions): Alert {
  return {
    labels: { ...labels, alertname: 'PrescaleIncident', service, severity },
    annotations: { summary: `${service} does not behave as usual (${severity})`, description: summary },
    startsAt: new Date(Math.min(startedAt, endsAt)).toISOString(),
    endsAt: new Date(endsAt).toISOString()
  }
}
