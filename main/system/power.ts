import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface PowerFacts {
  /** Runs on battery now. */
  readonly onBattery?: boolean
  /** Charge of all batteries together, 0 to 100. */
  readonly batteryPercent?: number
}

interface Supply {
  readonly type: string
  readonly online: string
  readonly scope: string
  readonly status: string
  readonly capacity: string
}

/** What Linux says of mains and batteries (`/sys/class/power_supply`). Without that folder nothing is known; a computer without a battery is on mains. Never rejects. */
export async function powerFrom(folder: string): Promise<PowerFacts> {
  try {
    const supplies = await Promise.all((await readdir(folder)).map((name) => readSupply(join(folder, name))))
    return powerOf(supplies)
  } catch {
    return {}
  }
}

function powerOf(supplies: readonly Supply[]): PowerFacts {
  // A mouse and a headset have batteries of their own.
  const batteries = supplies.filter(({ type, scope }) => type === 'Battery' && scope !== 'Device')
  if (batteries.length === 0) return { onBattery: false }
  const isPluggedIn = supplies.some(({ type, online }) => type !== 'Battery' && online === '1')
  const charges = batteries.map(({ capacity }) => Number(capacity)).filter((percent) => Number.isFinite(percent) && percent >= 0 && percent <= 100)
  return {
    onBattery: !isPluggedIn && batteries.some(({ status }) => status === 'Discharging'),
    ...(charges.length > 0 && { batteryPercent: Math.round(charges.reduce((sum, one) => sum + one, 0) / charges.length) }),
  }
}

async function readSupply(path: string): Promise<Supply> {
  const [type = '', online = '', scope = '', status = '', capacity = 'none'] = await Promise.all(['type', 'online', 'scope', 'status', 'capacity'].map((name) => readLine(join(path, name))))
  return { type, online, scope, status, capacity }
}

async function readLine(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch {
    return undefined
  }
}
