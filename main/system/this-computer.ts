import { powerMonitor } from 'electron'
import { Networks } from './network.ts'
import { powerFrom } from './power.ts'
import { SurroundingsWatch } from './surroundings.ts'

const supplies = '/sys/class/power_supply'
/** Seconds without a key or the mouse. */
const idleSeconds = 5 * 60

/**
 * What can be known of this computer: on Linux the kernel tells of power, NetworkManager of networks; elsewhere the system only says whether it runs on battery.
 * @param testSupplies folder in place of the kernel's
 */
export function openSurroundings(now: () => number, testSupplies: string | undefined): SurroundingsWatch {
  const networks = new Networks(now)
  const isLinux = process.platform === 'linux'
  return new SurroundingsWatch({
    power: () => (isLinux ? powerFrom(testSupplies ?? supplies) : Promise.resolve({ onBattery: powerMonitor.isOnBatteryPower() })),
    network: () => (isLinux ? networks.look() : Promise.resolve({})),
    idle: () => {
      const state = powerMonitor.getSystemIdleState(idleSeconds)
      return state === 'unknown' ? undefined : state !== 'active'
    },
  })
}
