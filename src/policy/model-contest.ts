import type { ModelChange, ModelLife, ModelStanding } from '../domain.ts'
import { takeOver } from './defaults.ts'
import { pinballLoss, type Outcome } from './forecast-record.ts'

/** Models that were learned from a service, by their version; empty while there are none. */
export type ModelContest = readonly ModelStanding[]

/** The one that decides; null where that is the shipped one. */
export function inUse (contest: ModelContest): ModelStanding | null {
  return contest.find(({ life }) => life !== 'shadow') ?? null
}

/**
 * The contest after forecasts came due. Who is new begins in shadow; who is not there any more has left. Pure.
 *
 * One in shadow is compared with the model in use and takes its place when it was better by a margin; the one in use is compared with the shipped
 * one, and falls back when it is worse.
 *
 * @param present versions of the service's own models. @param shipped the version of the model that serves everybody.
 */
export function nextContest (before: ModelContest, outcomes: readonly Outcome[], { present, shipped, at }:
{ present: readonly string[], shipped: string, at: number }): ModelContest {
  if (present.length === 0) return before.length === 0 ? before : []
  const entered = present.map(version => before.find(standing => standing.version === version) ?? beginning(version, { life: 'shadow', rival: shipped, at }))
  const matched = entered.map(standing => againstRival(standing, { rival: rivalOf(standing, { contest: entered, shipped }), at }))
  return promoted(matched.map(standing => fallen(scored(standing, outcomes), at)), at)
}

function beginning (version: string, { life, rival, at }: { life: ModelLife, rival: string, at: number }): ModelStanding {
  return { version, life, since: at, forecasts: 0, loss: 0, rival, rivalLoss: 0 }
}

function rivalOf ({ life }: ModelStanding, { contest, shipped }: { contest: ModelContest, shipped: string }): string {
  return life === 'shadow' ? inUse(contest)?.version ?? shipped : shipped
}

/** Who has another rival than before is compared anew. */
function againstRival (standing: ModelStanding, { rival, at }: { rival: string, at: number }): ModelStanding {
  return standing.rival === rival ? standing : beginning(standing.version, { life: standing.life, rival, at })
}

function scored (standing: ModelStanding, outcomes: readonly Outcome[]): ModelStanding {
  let { forecasts, loss, rivalLoss } = standing
  for (const { came, said } of outcomes) {
    const own = said.find(({ version }) => version === standing.version)
    const other = said.find(({ version }) => version === standing.rival)
    if (own === undefined || other === undefined) continue
    const rate = 1 / Math.min(++forecasts, takeOver.memory)
    loss += rate * (pinballLoss(own.quantiles, came) - loss)
    rivalLoss += rate * (pinballLoss(other.quantiles, came) - rivalLoss)
  }
  return { ...standing, forecasts, loss, rivalLoss }
}

function fallen (standing: ModelStanding, at: number): ModelStanding {
  const { life, version, rival, forecasts, loss, rivalLoss } = standing
  const slack = life === 'canary' ? 0 : takeOver.slack
  const isWorse = forecasts >= takeOver.leastForecasts && loss > rivalLoss * (1 + slack)
  return life !== 'shadow' && isWorse ? beginning(version, { life: 'shadow', rival, at }) : standing
}

/** One at a time: the best of those that have shown enough. A successor of a model in use needs no probation, for the shipped one is not its rival. */
function promoted (contest: ModelContest, at: number): ModelContest {
  const present = inUse(contest)
  if (present?.life === 'canary' && present.forecasts >= takeOver.canaryForecasts) {
    return contest.map(standing => standing === present ? { ...standing, life: 'active', since: at } : standing)
  }
  const ready = contest.filter(({ life, forecasts, loss, rivalLoss }) =>
    life === 'shadow' && forecasts >= takeOver.shadowForecasts && loss < rivalLoss * (1 - takeOver.margin))
  if (ready.length === 0) return contest
  const best = ready.reduce((least, standing) => standing.loss / standing.rivalLoss < least.loss / least.rivalLoss ? standing : least)
  return contest.map(standing => {
    if (standing === best) return beginning(best.version, { life: present?.life ?? 'canary', rival: best.rival, at })
    return standing === present ? beginning(present.version, { life: 'shadow', rival: best.version, at }) : standing
  })
}

/** What is worth telling: who came to another life, and on what grounds. */
export function contestChanges (before: ModelContest, after: ModelContest, { service, shipped }: { service: string, shipped: string }): ModelChange[] {
  if (before === after) return []
  return after.flatMap(({ version, life }) => {
    const known = before.find(standing => standing.version === version)
    if (known?.life === life) return []
    return [{ name: 'forecast', before: inUse(before)?.version ?? shipped, version, service, life, reason: known === undefined ? 'newly learned' : compared(known) }]
  })
}

/** Whose forecast it is, and why, in half a sentence; nothing where there is no choice. */
export function explainContest (contest: ModelContest, shipped: string): string | null {
  const standing = inUse(contest) ?? contest.at(-1)
  if (standing === undefined) return null
  const { version, life, rival } = standing
  const shown = compared(standing)
  switch (life) {
    case 'active': return `forecast by ${version}, learned from this service and active: ${shown}`
    case 'canary': return `forecast by ${version}, learned from this service, a canary (never below what ${rival} expects): ${shown}`
    case 'shadow': return `forecast by ${shipped}, because ${version} is in shadow: ${shown}`
  }
}

/** "its loss is 12 % below that of forecast 1 over 200 forecasts" */
export function compared ({ forecasts, loss, rival, rivalLoss }: ModelStanding): string {
  if (forecasts === 0 || rivalLoss === 0) return `not compared with ${rival} yet`
  const share = Math.round(100 * Math.abs(1 - loss / rivalLoss))
  return `its loss is ${share} % ${loss <= rivalLoss ? 'below' : 'above'} that of ${rival} over ${forecasts} ${forecasts === 1 ? 'forecast' : 'forecasts'}`
}
