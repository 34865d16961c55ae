import type { Conditions, Surroundings, WaitReason } from '../api/contract.ts'

type Unmet = Extract<WaitReason, { type: 'power' | 'battery' | 'metered' | 'network' | 'idle' }>

/** The reasons that are conditions of a job, and not the time or something else that runs. */
export function isCondition(wait: WaitReason): wait is Unmet {
  return ['power', 'battery', 'metered', 'network', 'idle'].includes(wait.type)
}

/** The first condition that does not hold, or undefined. What cannot be known counts as met: nobody's backup waits for a fact that never comes. */
export function unmet(conditions: Conditions | undefined, { onBattery, batteryPercent, metered, networks, idle }: Surroundings): Unmet | undefined {
  if (!conditions) return undefined
  const { mains, batteryAbove, unmetered, networks: named } = conditions
  if (mains && onBattery) return { type: 'power' }
  if (batteryAbove !== undefined && onBattery && batteryPercent !== undefined && batteryPercent < batteryAbove) return { type: 'battery', above: batteryAbove }
  if (unmetered && metered) return { type: 'metered' }
  if (named && networks && named.names.some((one) => networks.includes(one)) !== (named.rule === 'only')) return { type: 'network', ...named }
  return conditions.idle && idle === false ? { type: 'idle' } : undefined
}

/**
 * Why a run that is under way is held for now; it goes on by itself. A connection that costs, a network that is not to be used, and a battery that runs down
 * hold it at once: each more minute is what somebody did not want. Somebody who comes back to the computer does not: the run goes on quietly at the
 * lowest priority, or one that is cut off each time somebody moves the mouse would never end.
 */
export function holdReason(conditions: Conditions | undefined, surroundings: Surroundings): Unmet | undefined {
  return unmet(conditions && { ...conditions, idle: false }, surroundings)
}

/** The first of several jobs' conditions that does not hold. */
export function unmetByAny(all: readonly (Conditions | undefined)[], surroundings: Surroundings): Unmet | undefined {
  for (const conditions of all) {
    const reason = unmet(conditions, surroundings)
    if (reason) return reason
  }
  return undefined
}

/** Whether conditions let a job run more seldom than others do. */
export function isStricter(before: Conditions = {}, after: Conditions = {}): boolean {
  const asks = (key: 'mains' | 'unmetered' | 'idle'): boolean => after[key] === true && before[key] !== true
  if (asks('mains') || asks('unmetered') || asks('idle') || (after.batteryAbove ?? 0) > (before.batteryAbove ?? 0)) return true
  if (!after.networks) return false
  const [old, now] = [before.networks, after.networks]
  if (old?.rule !== now.rule) return true
  return now.rule === 'only' ? old.names.some((one) => !now.names.includes(one)) : now.names.some((one) => !old.names.includes(one))
}
